import { javascript } from './documents';

/** A body that the API has to refuse, and how. */
export interface BadBody {
  readonly name: string;
  readonly contentType?: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly status: number;
  readonly code: string;
  /** In the detail. */
  readonly says?: RegExp;
  /** Code and pointer of each fault, in any order. */
  readonly faults?: readonly (readonly [string, string])[];
}

const YAML = 'application/yaml';
const LIMIT = 8 * 1_048_576;
const task = javascript('export default () => 1');
const run = (workflow: unknown, more: Record<string, unknown> = {}): string => JSON.stringify({ workflow, ...more });
const document = (more: Record<string, unknown>): string => run({ name: 'x', tasks: { a: task }, ...more });
const tasks = (some: Record<string, unknown>): string => run({ name: 'x', tasks: some });

const unparsable: BadBody[] = [
  {
    name: 'YAML that is none, with its place',
    contentType: YAML,
    body: 'name: x\ntasks:\n  a: {uses: code\n',
    status: 400,
    code: 'unparsable',
    says: /line \d+, column \d+/,
  },
  {
    name: 'YAML indented with tabs, with its place',
    contentType: YAML,
    body: 'name: x\ntasks:\n\ta: 1',
    status: 400,
    code: 'unparsable',
    says: /tab.*line 3, column 1/i,
  },
  {
    name: 'JSON that is none, with its place',
    body: '{"workflow": {\n "name": "x",, }}',
    status: 400,
    code: 'unparsable',
    says: /line 2, column 14/,
  },
  {
    name: 'JSON that is cut off',
    body: '{"workflow": {"name"',
    status: 400,
    code: 'unparsable',
    says: /line 1, column/,
  },
  { name: 'an empty body', body: '', status: 400, code: 'unparsable', says: /empty/ },
  {
    name: 'bytes that are no text',
    body: Uint8Array.of(0xff, 0xfe, 0x00),
    status: 400,
    code: 'unparsable',
    says: /UTF-8/,
  },
  {
    name: 'JSON that nests 100,000 levels deep',
    body: `{"workflow":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    status: 400,
    code: 'unparsable',
    says: /nests/,
  },
  {
    name: 'YAML that nests 5,000 levels deep',
    contentType: YAML,
    body: `name: x\ntasks: ${'['.repeat(5_000)}${']'.repeat(5_000)}`,
    status: 400,
    code: 'unparsable',
  },
  {
    name: 'YAML whose aliases unfold a hundred million times',
    contentType: YAML,
    body: ['a: &a [x]', ...[...'bcdefghi'].map((key, at) => bombLine(key, 'abcdefgh'.charAt(at)))].join('\n'),
    status: 400,
    code: 'unparsable',
    says: /alias/,
  },
];

function bombLine(key: string, inner: string): string {
  return `${key}: &${key} [${Array.from({ length: 10 }, () => `*${inner}`).join(', ')}]`;
}

const envelope: BadBody[] = [
  {
    name: 'a key that comes twice in YAML',
    contentType: YAML,
    body: 'name: x\ntasks: {}\nname: y',
    status: 422,
    code: 'invalid_document',
    faults: [['duplicate', '']],
  },
  { name: 'another content type', contentType: 'text/html', body: '{}', status: 415, code: 'unsupported_media_type' },
  {
    name: 'another encoding',
    contentType: 'application/json; charset=utf-16',
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
  },
  { name: 'JSON that is no object', body: '[1]', status: 400, code: 'bad_request', faults: [['bad_type', '']] },
  {
    name: 'no workflow',
    body: '{"inputs": {}}',
    status: 400,
    code: 'bad_request',
    faults: [['missing_field', '/workflow']],
  },
  { name: 'a workflow that nobody saved', body: run('nope'), status: 404, code: 'workflow_not_found', says: /nope/ },
  {
    name: 'faults around the document, all at once',
    body: document({}).replace(/}$/, ',"priority":5000,"delay":"soon","colour":1}'),
    status: 400,
    code: 'bad_request',
    faults: [
      ['bad_value', '/priority'],
      ['bad_duration', '/delay'],
      ['unknown_field', '/colour'],
    ],
  },
  {
    name: 'more than 8 MiB',
    body: document({ description: 'x'.repeat(LIMIT) }),
    status: 413,
    code: 'payload_too_large',
    says: /8 MiB/,
  },
  {
    name: 'YAML of 1 MiB whose aliases unfold to 90 MiB',
    contentType: YAML,
    body: `name: x\nmetadata:\n  text: &text "${'y'.repeat(1_048_576)}"\n  list: [${Array.from({ length: 90 }, () => '*text').join(', ')}]\ntasks: { a: { uses: code, with: { language: javascript, source: export default () => 1 } } }`,
    status: 400,
    code: 'unparsable',
  },
];

const documents: BadBody[] = [
  {
    name: 'unknown fields, each named',
    body: tasks({
      a: { ...task, retires: 3 },
      b: { ...task, with: { language: 'javascript', source: 'x', imput: 1 } },
    }),
    status: 422,
    code: 'invalid_document',
    faults: [
      ['unknown_field', '/workflow/tasks/a/retires'],
      ['unknown_field', '/workflow/tasks/b/with/imput'],
    ],
  },
  {
    name: 'a cycle, printed',
    body: tasks({ a: { ...task, needs: ['c'] }, b: { ...task, needs: 'a' }, c: { ...task, needs: ['b'] } }),
    status: 422,
    code: 'invalid_document',
    says: /a -> b -> c -> a/,
    faults: [['cycle', '/workflow/tasks/a']],
  },
  {
    name: 'wrong types and values',
    body: run({ name: 5, tasks: { a: { uses: 'code', timeout: 'soon', with: { language: 'cobol', source: 1 } } } }),
    status: 422,
    code: 'invalid_document',
    faults: [
      ['bad_type', '/workflow/name'],
      ['bad_duration', '/workflow/tasks/a/timeout'],
      ['bad_value', '/workflow/tasks/a/with/language'],
      ['bad_type', '/workflow/tasks/a/with/source'],
    ],
  },
  {
    name: 'an unknown uses',
    body: tasks({ a: { uses: 'magic' } }),
    status: 422,
    code: 'invalid_document',
    says: /magic/,
    faults: [['unknown_uses', '/workflow/tasks/a/uses']],
  },
  {
    name: 'a dependency that is not there, and an expression that is none',
    body: tasks({ a: { ...task, needs: ['ghost'] }, b: javascript('x', '${{ tasks.a. }}') }),
    status: 422,
    code: 'invalid_document',
    faults: [
      ['unknown_dependency', '/workflow/tasks/a/needs/0'],
      ['bad_expression', '/workflow/tasks/b/with/input'],
    ],
  },
  {
    name: 'no tasks',
    body: tasks({}),
    status: 422,
    code: 'invalid_document',
    faults: [['no_tasks', '/workflow/tasks']],
  },
  {
    name: '10,001 tasks',
    body: tasks(Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`t${at}`, task]))),
    status: 422,
    code: 'invalid_document',
    says: /10000|10,000/,
    faults: [['too_many_tasks', '/workflow/tasks']],
  },
  {
    name: 'a document of 105 levels',
    body: document({ metadata: { deep: JSON.parse(`${'['.repeat(103)}${']'.repeat(103)}`) as unknown } }),
    status: 422,
    code: 'invalid_document',
    says: /nested more than 100 levels/,
  },
  {
    name: 'inputs that do not fit',
    body: document({ inputs: { count: { type: 'integer', required: true }, who: { type: 'string' } } }).replace(
      /}$/,
      ',"inputs":{"who":1,"extra":true}}',
    ),
    status: 422,
    code: 'invalid_inputs',
    faults: [
      ['missing_field', '/inputs/count'],
      ['bad_type', '/inputs/who'],
      ['unknown_field', '/inputs/extra'],
    ],
  },
];

export const badBodies: readonly BadBody[] = [...unparsable, ...envelope, ...documents];
