import { pointerOf, type Fault, type TaskDocument, type WorkflowDocument } from '@lattice/contracts';
import { mergeReferences, templateReferences, type References, type Template } from '@lattice/expression';
import { fingerprint } from './fingerprint';

/** The key of the task of a body that has but one. */
const ONLY = 'do';

/** What a map or loop does in each round: a document of its own, which refers to what is around it. */
export interface Body {
  readonly document: WorkflowDocument;
  /** Identity of the document. */
  readonly sha: string;
}

/** Examines a document: what its tasks and outputs refer to, and its faults. */
export type Examine = (
  document: WorkflowDocument,
  known: { tasks: ReadonlySet<string>; inputs: ReadonlySet<string> },
) => { tasks: ReadonlyMap<string, { references: References }>; outputs: Template; faults: Fault[] };

type Json = NonNullable<WorkflowDocument['outputs']>[string];

interface BodyParts {
  readonly do?: Omit<TaskDocument, 'needs'> | undefined;
  readonly tasks?: Record<string, TaskDocument> | undefined;
  readonly output?: Json | undefined;
}

/**
 * Makes the document of a body. Its faults are told at their places in the document around it. The references are those that
 * lead out of the body: the task around it depends on them.
 */
export function readBody(
  reading: { key: string; document: WorkflowDocument; faults: Fault[]; examine: Examine },
  parts: BodyParts,
): { body: Body; references: References } {
  const { key, document: around, faults } = reading;
  const tasks = parts.tasks ?? (parts.do === undefined ? {} : { [ONLY]: parts.do });
  const draft: WorkflowDocument = {
    name: `${around.name}.${key}`.slice(0, 128),
    tasks,
    outputs: { output: outputOf(parts) },
    within: { tasks: namesAround(around, tasks) },
    ...(around.inputs === undefined ? {} : { inputs: around.inputs }),
    ...(around.defaults === undefined ? {} : { defaults: around.defaults }),
    ...(around.fuse === undefined ? {} : { fuse: around.fuse }),
  };
  const known = { tasks: new Set(Object.keys(tasks)), inputs: new Set(Object.keys(around.inputs ?? {})) };
  const examined = reading.examine(draft, known);
  faults.push(...examined.faults.map((each) => ({ ...each, pointer: pointerAround(key, parts, each.pointer) })));
  const out = referencesOut(draft, examined.tasks, templateReferences(examined.outputs));
  const inputs = Object.entries(around.inputs ?? {}).filter(([name]) => out.allInputs || out.inputs.has(name));
  const document = { ...draft, inputs: Object.fromEntries(inputs), within: { tasks: [...out.tasks].sort() } };
  return { body: { document, sha: fingerprint(document) }, references: out };
}

function outputOf(parts: BodyParts): Json {
  return parts.tasks === undefined ? `\${{ tasks.${ONLY}.output }}` : (parts.output ?? null);
}

/** The tasks that the body may refer to: all around it but those it hides by its own. */
function namesAround(around: WorkflowDocument, own: Readonly<Record<string, unknown>>): string[] {
  return [...Object.keys(around.tasks), ...(around.within?.tasks ?? [])].filter((name) => !Object.hasOwn(own, name));
}

function referencesOut(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, { references: References }>,
  outputs: References,
): References {
  const all = mergeReferences([...[...tasks.values()].map((task) => task.references), outputs]);
  const out = (keys: ReadonlySet<string>): Set<string> =>
    new Set([...keys].filter((key) => !Object.hasOwn(document.tasks, key)));
  return { ...all, tasks: out(all.tasks), statusOf: new Set(), each: false };
}

function pointerAround(key: string, parts: BodyParts, pointer: string): string {
  const base = pointerOf(['tasks', key, 'with']);
  const inner = parts.tasks === undefined ? pointer.replace(/^\/tasks\/do(?=\/|$)/, '/do') : pointer;
  return `${base}${inner.replace(/^\/outputs(\/output)?/, '/output')}`;
}
