import fc from 'fast-check';
import { checkInputs, decide, nextDelay, parseDocumentText, readDocument } from './index';

const noop = { uses: 'handler/noop' };

function codes(document: unknown): string[] {
  const read = readDocument(document);
  return read.ok ? [] : read.faults.map(({ code, pointer }) => `${code} ${pointer}`);
}

test('all faults are told together, each with a code and a pointer', () => {
  expect(
    codes({
      name: 'bad name!',
      extra: 1,
      tasks: {
        '1a': noop,
        b: { uses: 'magic', timeout: '5 parsecs', foo: 1 },
        c: { needs: 3 },
      },
    }).sort(),
  ).toEqual([
    'bad_duration /tasks/b/timeout',
    'bad_task_key /tasks/1a',
    'bad_type /tasks/c/needs',
    'bad_value /name',
    'missing_field /tasks/c/uses',
    'unknown_field /extra',
    'unknown_field /tasks/b/foo',
    'unknown_uses /tasks/b/uses',
  ]);
});

test('faults of fields and faults between tasks are told together', () => {
  expect(
    codes({
      name: 'x',
      tasks: {
        a: { ...noop, timeout: '5 minutes', needs: ['fetsh', 'b'] },
        b: { needs: 'a', with: '${{ inputs.unknown }}' },
      },
    }).sort(),
  ).toEqual([
    'bad_duration /tasks/a/timeout',
    'cycle /tasks/a',
    'missing_field /tasks/b/uses',
    'unknown_dependency /tasks/a/needs/0',
    'unreachable_reference /tasks/b/with',
  ]);
});

test('faults between tasks: unknown dependency, unreachable references, bad expressions', () => {
  expect(
    codes({
      name: 'x',
      inputs: { known: {} },
      tasks: {
        a: { ...noop, needs: ['nobody'], with: { x: '${{ inputs.unknown }}' } },
        b: { ...noop, with: '${{ tasks.ghost.output }}', if: '${{ 1 + }}' },
        c: { uses: 'code', with: { language: 'javascript', source: 'x ${{ inputs.known }}' } },
      },
      outputs: { y: '${{ tasks.ghost.output }}' },
    }).sort(),
  ).toEqual([
    'bad_expression /tasks/b/if',
    'bad_value /tasks/c/with/source',
    'unknown_dependency /tasks/a/needs/0',
    'unknown_dependency /tasks/b/with',
    'unreachable_reference /outputs/y',
    'unreachable_reference /tasks/a/with/x',
  ]);
});

test('faults of a map or loop and those within its body are told together', () => {
  const body = { magic: { uses: 'magic' }, b: { ...noop, with: '${{ inputs.unknown }}', timeout: 'soon' } };
  const workflow = {
    name: 'x',
    tasks: {
      m: { uses: 'map', with: { over: [1], concurrency: 0, do: { uses: 'magic', needs: [] } } },
      l: { uses: 'loop', with: { tasks: body, output: '${{ tasks.ghost.output }}' } },
    },
  };
  expect(codes(workflow).sort()).toEqual([
    'bad_duration /tasks/l/with/tasks/b/timeout',
    'bad_value /tasks/l/with',
    'bad_value /tasks/m/with/concurrency',
    'unknown_field /tasks/m/with/do/needs',
    'unknown_uses /tasks/l/with/tasks/magic/uses',
    'unknown_uses /tasks/m/with/do/uses',
    'unreachable_reference /tasks/l/with/output',
    'unreachable_reference /tasks/l/with/tasks/b/with',
  ]);
});

test('variables that the system would drop or cut are faults', () => {
  const env = { 'A=B': 'x', '': 'x', N: 'a\u0000b', 'a.b': 1 };
  const container = { uses: 'container', with: { image: 'i', env } };
  expect(codes({ name: 'x', defaults: { env }, tasks: { a: { ...noop, env }, c: container } }).sort()).toEqual(
    ['/defaults/env', '/tasks/a/env', '/tasks/c/with/env'].flatMap((place) =>
      ['', 'A=B', 'N'].map((name) => `bad_value ${place}/${name}`),
    ),
  );
});

test('G1: the timeout of a batch may be the number 0, of no other unit', () => {
  const batched = (timeout: unknown): unknown => ({
    name: 'x',
    defaults: { batch: [{ prefix: 'r', size: 2, timeout }] },
    tasks: { a: { ...noop, batch: { size: 2, timeout } }, r: noop },
  });
  const read = readDocument(batched(0));
  const waits = read.ok ? [...read.workflow.tasks.values()].map((task) => task.class.batch?.timeoutMs) : [];
  expect(waits).toEqual([0, 0]);
  expect(codes(batched(5)).sort()).toEqual(['bad_value /defaults/batch/0/timeout', 'bad_value /tasks/a/batch/timeout']);
});

test('a number of a YAML text that would become another one is refused', () => {
  expect(() => parseDocumentText('x: 9007199254740993', 'yaml')).toThrow(/9007199254740993/);
  expect(() => parseDocumentText('x: [-9007199254740993]', 'yaml')).toThrow(/-9007199254740993/);
  expect(
    parseDocumentText('x: [9007199254740992, "9007199254740993", 0x1F, 1.5, text9007199254740993]', 'yaml'),
  ).toEqual({ x: [9007199254740992, '9007199254740993', 31, 1.5, 'text9007199254740993'] });
});

test('LT-15, CM-T9: a reference without needs adds the edge', () => {
  const read = readDocument({
    name: 'x',
    tasks: {
      a: noop,
      b: { ...noop, with: { deep: [{ x: 'got ${{ tasks.a.output.url }}' }] } },
      c: { ...noop, env: { A: '${{ tasks.a.output }}' } },
      d: { ...noop, if: '${{ tasks.b.output == 1 }}', needs: 'c' },
    },
  });
  if (!read.ok) throw new Error('invalid');
  expect([...read.workflow.tasks].map(([key, { needs }]) => [key, needs])).toEqual([
    ['a', []],
    ['b', ['a']],
    ['c', ['a']],
    ['d', ['b', 'c']],
  ]);
});

test('a cycle is printed', () => {
  const read = readDocument({
    name: 'x',
    tasks: { a: { ...noop, needs: ['c'] }, b: { ...noop, needs: ['a'] }, c: { ...noop, needs: ['b'] } },
  });
  expect(read).toMatchObject({
    ok: false,
    faults: [{ code: 'cycle', message: 'the tasks form a cycle: a -> b -> c -> a' }],
  });
  expect(codes({ name: 'x', tasks: { a: { ...noop, needs: 'a' } } })).toEqual(['cycle /tasks/a']);
});

test('every cycle is told, with what a task of an unknown kind depends on', () => {
  const needs = (key: string): object => ({ ...noop, needs: key });
  const tasks = { a: needs('b'), b: needs('a'), c: needs('d'), d: needs('c'), e: { uses: 'magic', needs: ['ghost'] } };
  expect(codes({ name: 'x', tasks }).sort()).toEqual([
    'cycle /tasks/a',
    'cycle /tasks/c',
    'unknown_dependency /tasks/e/needs/0',
    'unknown_uses /tasks/e/uses',
  ]);
});

test('graphs without a cycle have none, whatever else; one that gets an edge back has one', () => {
  const edges = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(edges, (pairs) => {
      const forward = pairs.filter(([a, b]) => a < b);
      const needsOf = (key: number, all: readonly (readonly [number, number])[]): string[] => [
        ...new Set(all.filter(([, to]) => to === key).map(([from]) => `t${from}`)),
      ];
      const tasks = (all: readonly (readonly [number, number])[]): object =>
        Object.fromEntries(Array.from({ length: 13 }, (_, key) => [`t${key}`, { ...noop, needs: needsOf(key, all) }]));
      expect(codes({ name: 'x', tasks: tasks(forward) })).toEqual([]);
      const [edge] = forward;
      if (edge === undefined) return;
      const back = [...forward, [edge[1], edge[0]] as const];
      expect(codes({ name: 'x', tasks: tasks(back) })).toContainEqual(expect.stringMatching(/^cycle /));
    }),
  );
});

test('a reference to what is not there is told where it is written', () => {
  const tasks = {
    a: { ...noop, with: { list: [1, { url: 'x ${{ tasks.ghost.output }}' }] } },
    b: { ...noop, if: 'tasks.ghost.output == 1', env: { E: '${{ inputs.no }}' } },
    c: { uses: 'map', with: { over: [1], do: { ...noop, with: { deep: '${{ inputs.no }}' } } } },
    d: { ...noop, with: ['${{ each.item }}'] },
  };
  expect(codes({ name: 'x', tasks }).sort()).toEqual([
    'unknown_dependency /tasks/a/with/list/1/url',
    'unknown_dependency /tasks/b/if',
    'unreachable_reference /tasks/b/env/E',
    'unreachable_reference /tasks/c/with/do/with/deep',
    'unreachable_reference /tasks/d/with/0',
  ]);
});

test('a default that its own input would refuse is a fault of the document', () => {
  const inputs = {
    a: { type: 'integer', default: 1.5 },
    b: { type: 'boolean', default: 'true' },
    c: { type: 'integer', default: 2 ** 53 },
    d: { type: 'string', default: null },
    e: { default: { any: 1 } },
  };
  expect(codes({ name: 'x', inputs, tasks: { a: noop } })).toEqual([
    'bad_type /inputs/a/default',
    'bad_type /inputs/b/default',
    'number_out_of_range /inputs/c/default',
  ]);
});

test('no document brings the reader down', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (value) => expect(() => readDocument(value)).not.toThrow()),
  );
  const shaped = fc.record({
    name: fc.string(),
    tasks: fc.dictionary(fc.string(), fc.anything()),
    inputs: fc.anything(),
    outputs: fc.anything(),
  });
  fc.assert(fc.property(shaped, (value) => expect(() => readDocument(value)).not.toThrow()));
});

test('deep nesting, __proto__ and a bomb of aliases are refused', () => {
  const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;
  expect(codes({ name: 'x', tasks: { a: { ...noop, with: deep } } })).toEqual(['bad_value /tasks/a/with']);
  expect(codes(JSON.parse('{"name":"x","tasks":{"__proto__":{"uses":"handler/x"}}}'))).toEqual([
    'unknown_field /tasks/__proto__',
  ]);
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  expect(() => parseDocumentText(bomb, 'yaml')).toThrow(expect.objectContaining({ code: 'unparsable' }));
  expect(() => parseDocumentText('a: [', 'yaml')).toThrow(expect.objectContaining({ code: 'unparsable' }));
  expect(() => parseDocumentText('{"a": 1,}', 'json')).toThrow(/line 1/);
  expect(() => parseDocumentText('['.repeat(100_000), 'yaml')).toThrow(expect.objectContaining({ code: 'unparsable' }));
  expect(() => parseDocumentText('a: 1\na: 2', 'yaml')).toThrow(/duplicated mapping key/);
});

test('merge keys take over the fields of other maps, and what is written beside them wins', () => {
  const text = `
name: merged
tasks:
  a: &a { uses: transform, with: { n: 1 }, timeout: 5s }
  b: { <<: *a, with: { n: 2 }, needs: a }
  c: { <<: [{ timeout: 9s }, *a], "with": { "<<": plain } }
`;
  expect(parseDocumentText(text, 'yaml')).toMatchObject({
    tasks: {
      b: { uses: 'transform', with: { n: 2 }, timeout: '5s', needs: 'a' },
      c: { uses: 'transform', with: { '<<': 'plain' }, timeout: '9s' },
    },
  });
  expect(() => parseDocumentText('a: { <<: 1 }', 'yaml')).toThrow(expect.objectContaining({ code: 'unparsable' }));
  const { __proto__: proto, ...rest } = parseDocumentText(
    'x: &x { "__proto__": { bad: 1 } }\n<<: *x\ny: 1',
    'yaml',
  ) as {
    __proto__: unknown;
  };
  expect([proto, rest]).toEqual([{ bad: 1 }, { x: expect.anything(), y: 1 }]);
});

test('a task that is named twice in needs is a fault', () => {
  const tasks = { a: { uses: 'transform', with: 1 }, b: { uses: 'transform', with: 1, needs: ['a', 'a', 'a'] } };
  const read = readDocument({ name: 'twice', tasks });
  expect(read.ok ? [] : read.faults).toMatchObject([
    { code: 'duplicate', pointer: '/tasks/b/needs/1', message: 'task "b" needs "a" twice' },
    { code: 'duplicate', pointer: '/tasks/b/needs/2' },
  ]);
});

test('aliases that unfold to more than a body may hold are refused', () => {
  const bomb = `t: &a "${'y'.repeat(1_048_576)}"\nl: [${Array(20).fill('*a').join(',')}]`;
  expect(() => parseDocumentText(bomb, 'yaml')).toThrow(expect.objectContaining({ code: 'unparsable' }));
  expect(parseDocumentText('a: &x [1]\nb: *x', 'yaml')).toEqual({ a: [1], b: [1] });
});

test('inputs: defaults, types, unknown and missing ones together', () => {
  const read = readDocument({
    name: 'x',
    inputs: { n: { type: 'integer', default: 3 }, s: { type: 'string', required: true }, free: {} },
    tasks: { a: noop },
  });
  if (!read.ok) throw new Error('invalid');
  const { document } = read.workflow;
  expect(checkInputs(document, { s: 'x' })).toEqual({ ok: true, inputs: { n: 3, s: 'x', free: null } });
  const bad = checkInputs(document, { n: 1.5, other: 1 });
  expect(bad.ok ? [] : bad.faults.map(({ code, pointer }) => `${code} ${pointer}`).sort()).toEqual([
    'bad_type /inputs/n',
    'missing_field /inputs/s',
    'unknown_field /inputs/other',
  ]);
});

test('decide: trigger rules, and skips that pass on', () => {
  const plain = { trigger: 'all-success', conditional: false, asksStatus: false } as const;
  expect(decide(plain, [{ key: 'a', status: 'completed' }])).toEqual({ do: 'run' });
  expect(decide(plain, [{ key: 'a', status: 'skipped', reason: 'condition' }])).toEqual({
    do: 'skip',
    reason: 'dependency_skipped',
  });
  expect(decide(plain, [{ key: 'a', status: 'failed' }])).toEqual({ do: 'skip', reason: 'dependency_failed' });
  expect(decide(plain, [{ key: 'a', status: 'skipped', reason: 'dependency_failed' }])).toEqual({
    do: 'skip',
    reason: 'dependency_failed',
  });
  const arms = [
    { key: 'a', status: 'completed' },
    { key: 'b', status: 'skipped', reason: 'condition' },
  ] as const;
  expect(decide({ ...plain, trigger: 'one-success' }, arms)).toEqual({ do: 'run' });
  expect(decide({ ...plain, trigger: 'none-failed' }, arms)).toEqual({ do: 'run' });
  expect(decide({ ...plain, trigger: 'all-done' }, [{ key: 'a', status: 'failed' }])).toEqual({ do: 'run' });
  expect(decide({ ...plain, conditional: true, asksStatus: true }, arms)).toEqual({ do: 'ask' });
  expect(decide({ ...plain, conditional: true }, arms)).toEqual({ do: 'skip', reason: 'dependency_skipped' });
});

test('retry delays grow to their limit, and only for what may be retried', () => {
  const policy = { maxAttempts: 5, initialDelay: '1s', factor: 2, maxDelay: '3s', jitter: false };
  const error = { code: 'task_failed', message: 'x', retryable: true };
  expect([1, 2, 3, 4, 5].map((attempt) => nextDelay(policy, attempt, error, 0.5))).toEqual([
    1000,
    2000,
    3000,
    3000,
    undefined,
  ]);
  expect(nextDelay(undefined, 1, error, 0)).toBeUndefined();
  expect(nextDelay(policy, 1, { ...error, retryable: false }, 0)).toBeUndefined();
  const thrown = { ...error, details: { code: 'E_BUSY', name: 'BusyError' } };
  for (const rule of ['task_failed', 'E_BUSY', 'BusyError']) {
    expect(nextDelay({ ...policy, retryOn: [rule] }, 1, thrown, 0)).toBe(1000);
    expect(nextDelay({ ...policy, ignore: [rule] }, 1, thrown, 0)).toBeUndefined();
  }
  expect(nextDelay({ ...policy, retryOn: ['E_OTHER'] }, 1, thrown, 0)).toBeUndefined();
  expect(nextDelay({ ...policy, retryOn: [7] }, 1, { ...error, details: { exitCode: 7 } }, 0)).toBe(1000);
  expect(nextDelay({ ...policy, ignore: ['task_failed'] }, 1, error, 0)).toBeUndefined();
  expect(nextDelay({ ...policy, jitter: true }, 1, error, 1)).toBe(500);
});
