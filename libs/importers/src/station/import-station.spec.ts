import fc from 'fast-check';
import { importStation, type Imported } from '../index';

function imported(value: unknown): Extract<Imported, { ok: true }> {
  const result = importStation(value);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result;
}

const codesOf = (value: unknown): string[] => {
  const result = importStation(value);
  return result.ok ? [] : result.faults.map(({ code, pointer }) => `${code} ${pointer}`);
};

const file = (states: unknown[], more: object = {}) => ({ id: 'w', states, ...more });
const inject = (id: string, more: object = {}) => ({ id, type: 'inject', data: { x: 1 }, ...more });

it('makes tasks of states, with what they have', () => {
  const { workflow, notes, keys } = imported({
    id: 'incident response',
    name: 'Incident',
    version: '1.0',
    inputSchema: {
      properties: {
        service: { type: 'string', description: 'which', enum: ['a'] },
        limit: { type: 'integer', default: 5 },
      },
      required: ['service'],
    },
    start: 'nightly',
    states: [
      { id: 'nightly', type: 'cron', cron: '0 6 * * *', timezone: 'UTC', input: { kind: 'daily' }, next: 'look-up' },
      {
        id: 'look-up',
        type: 'agent',
        agent: 'log analyzer',
        input: {
          task: 'Look at {{ service }}: ${kind}, not ${HOME}',
          limit: '$.input.limit',
          at: '{{ ctx._timestamp }}',
        },
        output: { risk: '$.result.risk' },
        retry: { max_attempts: 4, backoff: 'fixed', retry_on: ['timeout', 'agent_error'] },
        timeout: '1h30m',
        transition: 'route',
        color: 'red',
      },
      {
        id: 'route',
        type: 'switch',
        dataPath: '$.risk',
        conditions: [{ if: "_value in ['high'] and risk != None", next: 'ask' }],
      },
      { id: 'ask', type: 'human_approval', message: 'Go on?', approvers: ['ops'], timeout: '30m', transition: 'shape' },
      { id: 'shape', type: 'transform', expression: 'for x in y:\n  pass', end: true },
      inject('lost'),
    ],
  });
  expect(workflow).toEqual({
    name: 'incident-response',
    description: 'Incident',
    inputs: {
      service: { type: 'string', required: true, description: 'which' },
      limit: { type: 'integer', required: false, default: 5 },
    },
    tasks: {
      nightly: { uses: 'transform', with: { kind: 'daily' } },
      look_up: {
        uses: 'handler/agent.log_analyzer',
        needs: ['nightly'],
        with: {
          task: 'Look at ${{ inputs.service }}: ${{ tasks.nightly.output["kind"] }}, not ${HOME}',
          limit: '${{ inputs.limit }}',
          at: '${{ null }}',
        },
        timeout: '90m',
        retry: {
          maxAttempts: 4,
          factor: 1,
          initialDelay: '1s',
          maxDelay: '60s',
          jitter: false,
          retryOn: ['timeout', 'task_failed'],
        },
        metadata: { color: 'red' },
      },
      route: {
        uses: 'switch',
        needs: ['look_up'],
        with: {
          on: '${{ (tasks.look_up.output.risk in ["high"] && tasks.look_up.output.risk != null) ? "ask" : {}["no condition of route holds"] }}',
          cases: { ask: ['ask'] },
        },
      },
      ask: {
        uses: 'wait',
        with: { approval: { message: 'Go on?' } },
        timeout: '30m',
        metadata: { approvers: ['ops'] },
      },
      shape: {
        uses: 'handler/starlark',
        needs: ['ask'],
        with: { program: 'for x in y:\n  pass', context: {}, previous: '${{ tasks.ask.output }}' },
      },
    },
    outputs: { result: '${{ tasks.shape.output }}' },
    metadata: { importedFrom: { format: 'station', id: 'incident response', name: 'Incident', version: '1.0' } },
  });
  expect(keys).toEqual({ 'look-up': 'look_up' });
  expect(notes).toEqual([
    'Handlers that workers have to offer: agent.log_analyzer, starlark.',
    'An agent there sees the whole context; its handler here gets the task and input of the state, or, as `previous`, what the state before gave (in a foreach, the item).',
    'The workflow "incident response" is named "incident-response" here.',
    'Null here, for only Station knows them: _timestamp.',
    'Left as text, for nothing here is that: ${HOME}',
    'Not carried over of inputs: service (enum).',
    `State "nightly" is a schedule. Save the workflow, then: lattice schedules create incident-response incident-response --cron '0 6 * * *' --timezone 'UTC' (or POST /v1/schedules {"name":"incident-response","workflow":"incident-response","cron":"0 6 * * *","timezone":"UTC"}).`,
    'State "look-up": kept as metadata, without effect: color.',
    'State "ask": kept as metadata, without effect: approvers. Whoever may operate runs may approve.',
    'State "shape" can\'t be said as an expression here; the handler starlark gets it, with its context: for x in y: pass',
    'Left out, for nothing leads there: "lost".',
  ]);
});

it('keeps what was left by the way that was gone, where ways come together', () => {
  const { workflow } = imported(
    file([
      { id: 's', type: 'switch', conditions: [{ if: 'n > 1', next: 'a' }], defaultNext: 'join' },
      inject('a', { resultPath: 'found', transition: 'join' }),
      { id: 'join', type: 'transform', expression: "[found.x if hasattr(ctx, 'found') else 0, n]", next: 'end' },
      { id: 'end', type: 'agent', agent: 'e', input: { found: '$.found.x' } },
    ]),
  );
  expect(workflow.inputs).toEqual({ n: { type: 'any', required: true } });
  expect(workflow.tasks).toMatchObject({
    s: { with: { cases: { a: ['a'], join: ['s_to_join'] } } },
    join_context: {
      needs: ['s_to_join', 'a'],
      with: { found: '${{ (tasks.s_to_join.status == "completed" ? null : tasks.a.output) }}' },
    },
    join: { needs: ['s_to_join', 'a'] },
    end: { with: { found: '${{ tasks.join_context.output.found.x }}' } },
  });
});

it('lets a foreach within another see both items', () => {
  const { workflow } = imported(
    file([
      {
        id: 'outer',
        type: 'foreach',
        itemsPath: 'hosts',
        itemName: 'host',
        maxConcurrency: 5_000,
        iterator: {
          states: [
            {
              id: 'inner',
              type: 'foreach',
              itemsPath: 'host.disks',
              itemName: 'disk',
              iterator: {
                states: [{ id: 'check', type: 'agent', agent: 'a', input: { of: '{{ host.name }}/{{ disk }}' } }],
              },
            },
          ],
        },
      },
    ]),
  );
  expect(workflow.tasks).toMatchObject({
    outer: {
      with: {
        over: '${{ inputs.hosts }}',
        concurrency: 1_000,
        tasks: {
          inner: {
            with: {
              over: '${{ each.item.disks }}',
              do: { with: { of: '${{ tasks.outer_round.output.item.name }}/${{ each.item }}' } },
            },
          },
          outer_round: { uses: 'transform' },
        },
      },
    },
  });
});

it('tells all faults with their places', () => {
  expect(codesOf([])).toEqual(['bad_type ']);
  expect(codesOf({ states: [{ id: 'a' }, { type: 'inject' }] })).toEqual([
    'missing_field /id',
    'missing_field /states/0/type',
    'missing_field /states/1/id',
  ]);
  expect(
    codesOf(
      file(
        [
          inject('a', { next: 'b', timeout: 'soon' }),
          inject('a', { next: 'nowhere' }),
          { id: 'c', type: 'switch' },
          {
            id: 'd',
            type: 'parallel',
            branches: [{ name: 'x', states: [{ id: 'e', type: 'timer' }] }, { name: 'x' }],
            join: { mode: 'any' },
          },
        ],
        { start: 'elsewhere' },
      ),
    ),
  ).toEqual(['bad_duration /states/0/timeout', 'missing_field /states/2/conditions', 'bad_value /states/3/join/mode']);
  expect(
    codesOf(
      file(
        [
          inject('a', { next: 'b' }),
          inject('a', { next: 'nowhere' }),
          { id: 'd', type: 'parallel', branches: [{ name: 'x', states: [{ id: 'e', type: 'timer' }] }, { name: 'x' }] },
          { id: 'f', type: 'foreach' },
          { id: 'g', type: 'agent' },
          { id: 'h', type: 'switch', conditions: [{ if: 'x', next: 'i' }] },
        ],
        { start: 'elsewhere' },
      ),
    ),
  ).toEqual([
    'missing_field /states/2/branches/0/states/0/duration',
    'duplicate /states/2/branches/1',
    'missing_field /states/2/branches/1/states',
    'missing_field /states/3/itemsPath',
    'missing_field /states/3/iterator',
    'missing_field /states/4/agent',
    'duplicate /states/1',
    'unknown_dependency /start',
    'unknown_dependency /states/0/next',
    'unknown_dependency /states/1/next',
    'unknown_dependency /states/5/conditions/0/next',
  ]);
});

it('refuses ways that lead back, and says which', () => {
  const result = importStation(
    file([
      inject('a', { next: 'b' }),
      { id: 'b', type: 'switch', conditions: [{ if: 'x', next: 'c' }], defaultNext: 'd' },
      inject('c', { transition: 'a' }),
      inject('d'),
    ]),
  );
  expect(result).toMatchObject({
    ok: false,
    faults: [
      {
        code: 'cycle',
        pointer: '/states/2/transition',
        message: expect.stringContaining('a -> b -> c -> a') as string,
      },
    ],
  });
});

it('takes as many ways as a person would write, and refuses more', () => {
  const ladder = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      index === count - 1
        ? { id: `s${index}`, type: 'transform', expression: 'a + b' }
        : {
            id: `s${index}`,
            type: 'switch',
            conditions: [{ if: 'a', next: `s${index + 1}` }],
            defaultNext: `s${Math.min(index + 2, count - 1)}`,
          },
    );
  expect(importStation(file(ladder(500))).ok).toBe(true);
  expect(codesOf(file(ladder(501)))).toEqual(['bad_value /states']);
});

const ids = ['a', 'b', 'c', 'd', 'e-f', 'in', '__proto__', 'inputs'];
const id = fc.constantFrom(...ids);
const texts = fc.oneof(
  fc.constantFrom(
    '$.a.x',
    '{{ b.y }}',
    '${c}',
    '${{',
    'a.x > 1',
    "[x for x in a if x.get('y')]",
    'y = 1\ny + n',
    '_error',
    'item.x',
    '$',
  ),
  fc.string(),
);
const values = fc.oneof(texts, fc.jsonValue({ maxDepth: 2 }));
/** A state, with states within it as deep as that. */
function stateOf(depth: number): fc.Arbitrary<object> {
  const block: fc.Arbitrary<object | undefined> =
    depth === 0
      ? fc.constant(undefined)
      : fc.record({ states: fc.array(stateOf(depth - 1), { minLength: 1, maxLength: 2 }) });
  return fc.record(
    {
      id,
      type: fc.constantFrom(
        ...[
          'agent',
          'operation',
          'inject',
          'transform',
          'switch',
          'parallel',
          'foreach',
          'try',
          'cron',
          'timer',
          'human_approval',
          'await',
          'odd',
        ],
      ),
      agent: texts,
      input: fc.dictionary(fc.constantFrom('task', 'x', 'y'), values),
      output: fc.dictionary(id, texts),
      data: fc.dictionary(fc.constantFrom('x', 'y'), values, { minKeys: 1 }),
      resultPath: fc.constantFrom('a', 'steps.b', 'ctx', '$.n.m', '*'),
      outputPath: fc.constantFrom('$', 'x', '$.result'),
      transition: id,
      end: fc.boolean(),
      dataPath: texts,
      conditions: fc.array(fc.record({ if: texts.filter((text) => text !== ''), next: id }), { maxLength: 2 }),
      defaultNext: id,
      expression: texts,
      message: texts,
      cron: texts,
      duration: fc.constantFrom('1s', '1h5m', 'x'),
      itemsPath: texts,
      itemName: id,
      maxConcurrency: fc.integer(),
      outputAggregation: fc.constantFrom('array', 'merge', 'odd'),
      iterator: block,
      try: block,
      catch: block,
      finally: block,
      branches: fc.array(
        fc.oneof(
          fc.record({ name: id, agent: texts }),
          block.map((block) => ({ name: 'x', ...block })),
        ),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: ['id', 'type'] },
  );
}
const state = stateOf(1);

/** Most such files would be refused for one name that is not there. */
function mended(states: object[], names: string[] = []): object[] {
  return states.map((each, index) => {
    const after = states.slice(index + 1).map((_, next) => `${names.join('')}${index + 1 + next}`);
    const pick = (name: unknown): string =>
      after[String(name).length % Math.max(1, after.length)] ?? `${names.join('')}${index}`;
    const copy: Record<string, unknown> = {
      ...each,
      id: `${names.join('')}${index}`,
      agent: 'g',
      message: 'm',
      cron: '* * * * *',
      itemsPath: '$.a',
    };
    copy['data'] ??= { x: 1 };
    copy['expression'] ||= 'a';
    copy['duration'] = '1s';
    const isLast = after.length === 0;
    copy['transition'] = isLast ? undefined : pick(copy['transition']);
    if (isLast && copy['type'] === 'switch') copy['type'] = 'inject';
    copy['conditions'] = (Array.isArray(copy['conditions']) ? copy['conditions'] : []).map((one: object) => ({
      if: 'a.x',
      ...one,
      next: pick(JSON.stringify(one)),
    }));
    copy['defaultNext'] = isLast ? undefined : pick(copy['defaultNext']);
    const inner = (value: unknown, name: string): unknown =>
      typeof value === 'object' && value !== null && 'states' in value && Array.isArray(value.states)
        ? { ...value, states: mended(value.states as object[], [...names, String(index), name]) }
        : value;
    for (const name of ['iterator', 'try', 'catch', 'finally']) copy[name] = inner(copy[name], name[0] ?? '');
    copy['try'] ??= { states: [inject(`${names.join('')}${index}t`)] };
    const branches =
      Array.isArray(copy['branches']) && copy['branches'].length > 0 ? copy['branches'] : [{ agent: 'g' }];
    copy['branches'] = branches.map((branch: object, at) => ({
      ...(inner(branch, `n${at}`) as object),
      agent: 'g',
      name: `n${at}`,
    }));
    return copy;
  });
}

it('never throws, and gives documents that can be read, whatever is in the file', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void importStation(value)));
  fc.assert(fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => void importStation(file(states))));
});

it('imports every file whose names are there', () => {
  let notes = 0;
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 5 }), (states) => {
      // The only name that no document may hold.
      const text = JSON.stringify(file(mended(states))).replaceAll('__proto__', 'proto');
      notes += imported(JSON.parse(text)).notes.length;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(notes).toBeGreaterThan(0);
});
