import {
  LatticeError,
  durationSchema,
  fault,
  faultsOf,
  parseDuration,
  pointerOf,
  submitRunSchema,
  workflowNameSchema,
  type Fault,
} from '@lattice/contracts';
import type { ReadDocument } from '@lattice/flow';
import type { DocumentCache } from '../workflows/document-cache';
import { parseJsonBody } from './parse-json';

/** What a submission asks for, and the faults found in it so far; the rest can only be told with the workflow at hand. */
export interface Submission {
  readonly source:
    | { readonly kind: 'saved'; readonly name: string; readonly version: number | undefined }
    | { readonly kind: 'given'; readonly read: ReadDocument; readonly pointer: string }
    | { readonly kind: 'none' };
  /** Undefined when they are no JSON object: then they can't be checked against the workflow. */
  readonly inputs: Record<string, unknown> | undefined;
  readonly priority: number;
  readonly delayMs: number;
  /** When the run has to have ended: a duration from now, or a time. */
  readonly deadline?: string | undefined;
  readonly tags: readonly string[];
  readonly faults: readonly Fault[];
  /** Base of the pointers of faults in the inputs. */
  readonly pointer: string;
}

const fieldsSchema = submitRunSchema.omit({ workflow: true });

/** The submission in a JSON body `{workflow, inputs, ...}`. Throws `unparsable`, and `bad_request` when it is no object. */
export function submissionOfJson(text: string, documents: DocumentCache): Submission {
  const body = parseJsonBody(text);
  if (!isObject(body)) {
    throw new LatticeError('bad_request', 'The body is not an object with the field "workflow".', {
      faults: [fault('bad_type', '', 'expected an object')],
    });
  }
  if (!('workflow' in body)) throw withoutWorkflow(body);
  const { workflow, ...fields } = body;
  return submissionOf(workflow, fields, documents);
}

/** The submission of a workflow (name or document) with the other fields of a body, none of them checked before. */
export function submissionOf(workflow: unknown, fields: object, documents: DocumentCache): Submission {
  return { ...readFields(fields, ''), ...readSource(workflow, fields, documents) };
}

/** The submission of a document sent as YAML, with what else there is to say in the query. Throws `unparsable`, `bad_request`. */
export function submissionOfYaml(text: string, query: YamlQuery, documents: DocumentCache): Submission {
  const fields = {
    ...(query.inputs === undefined ? {} : { inputs: parseInputs(query.inputs) }),
    ...(query.priority === undefined ? {} : { priority: query.priority }),
    ...(query.delay === undefined ? {} : { delay: query.delay }),
    ...(query.deadline === undefined ? {} : { deadline: query.deadline }),
    ...(query.tag === undefined ? {} : { tags: query.tag }),
  };
  const read = documents.readYaml(text);
  return { ...readFields(fields, '/query'), source: { kind: 'given', read, pointer: '' } };
}

/** Query of a submission whose body is the document; `inputs` is JSON. */
export interface YamlQuery {
  readonly inputs?: string | undefined;
  readonly priority?: number | undefined;
  readonly delay?: string | undefined;
  readonly deadline?: string | undefined;
  readonly tag?: readonly string[] | undefined;
}

function parseInputs(text: string): unknown {
  try {
    return parseJsonBody(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new LatticeError('bad_request', 'The query of the request has faults.', {
      faults: [fault('bad_value', '/query/inputs', `not JSON: ${message}`)],
      cause,
    });
  }
}

function readSource(
  workflow: unknown,
  fields: object,
  documents: DocumentCache,
): Pick<Submission, 'source'> & Partial<Pick<Submission, 'faults'>> {
  if (isObject(workflow)) {
    return { source: { kind: 'given', read: documents.read(workflow), pointer: '/workflow' } };
  }
  const name = workflowNameSchema.safeParse(workflow);
  const { faults } = readFields(fields, '');
  if (!name.success) {
    const wrong =
      typeof workflow === 'string'
        ? faultsOf(name.error, ['workflow'])
        : [fault('bad_type', '/workflow', 'expected the name of a saved workflow, or a document')];
    return { source: { kind: 'none' }, faults: [...faults, ...wrong] };
  }
  const version = 'version' in fields && typeof fields.version === 'number' ? fields.version : undefined;
  return { source: { kind: 'saved', name: name.data, version } };
}

function readFields(fields: object, pointer: string): Omit<Submission, 'source'> {
  const inputs = readInputs(fields);
  const parsed = fieldsSchema.safeParse(fields);
  if (!parsed.success) {
    const faults = faultsOf(parsed.error).map((each) => ({ ...each, pointer: `${pointer}${each.pointer}` }));
    return { inputs, priority: 0, delayMs: 0, tags: [], faults, pointer };
  }
  const { priority = 0, delay, deadline, tags = [] } = parsed.data;
  const delayMs = delay === undefined ? 0 : (parseDuration(durationSchema.parse(delay)) ?? 0);
  const faults = tagFaults(tags, [...(pointer === '' ? [] : [pointer.slice(1)]), 'tags']);
  return { inputs, priority, delayMs, deadline, tags, faults, pointer };
}

/** The inputs as they were sent: a schema would drop a key `__proto__` without a word, and nothing sent may get lost so. */
function readInputs(fields: object): Record<string, unknown> | undefined {
  if (!('inputs' in fields) || fields.inputs === undefined) return {};
  return isObject(fields.inputs) && fieldsSchema.shape.inputs.safeParse(fields.inputs).success
    ? fields.inputs
    : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Postgres cannot hold NUL in a text, nor half of a surrogate pair. */
export function tagFaults(tags: readonly string[], path: readonly PropertyKey[]): Fault[] {
  return tags.flatMap((tag, index) =>
    /[\0\p{Surrogate}]/u.test(tag)
      ? [fault('bad_value', pointerOf([...path, index]), 'a tag may not hold NUL or half a character')]
      : [],
  );
}

function withoutWorkflow(body: object): LatticeError {
  const isDocument = 'tasks' in body;
  const message = isDocument
    ? 'the body looks like a document: put it under "workflow", or send it as application/yaml'
    : 'missing field "workflow": the name of a saved workflow, or a document';
  return new LatticeError(
    'bad_request',
    `The body has no field "workflow".${isDocument ? ' It looks like a document.' : ''}`,
    {
      faults: [fault('missing_field', '/workflow', message)],
    },
  );
}
