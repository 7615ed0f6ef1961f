import * as fc from 'fast-check';
import type { RunEvent, RunView } from '@lattice/contracts';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { isTriggered } from '../../support/trigger-model';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ workers: 2 });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

interface Node {
  needs: number[];
  /** Which class: tasks of different classes are never fused. */
  cpu: number;
  does: 'complete' | 'fail' | 'recover' | 'refuse';
  trigger: 'all-success' | 'all-done' | 'one-success' | 'none-failed';
}

/** Graphs of up to 25 tasks; each task needs some of those before it. */
function graphs(node: { does: Node['does'][]; triggers: Node['trigger'][] }): fc.Arbitrary<Node[]> {
  const draft = fc.record({
    needs: fc.array(fc.nat(24), { maxLength: 4 }),
    cpu: fc.constantFrom(0, 0, 0.25),
    does: fc.constantFrom(...node.does),
    trigger: fc.constantFrom(...node.triggers),
  });
  return fc.array(draft, { minLength: 1, maxLength: 25 }).map((drafts) =>
    drafts.map((each, index) => ({
      ...each,
      needs: index === 0 ? [] : [...new Set(each.needs.map((need) => need % index))],
    })),
  );
}

function documentOf(nodes: readonly Node[], options: { onFailure: string; fuse: boolean; sums: boolean }) {
  const tasks = nodes.map(({ needs, cpu, does, trigger }, index) => {
    const value = options.sums ? `\${{ ${[1, ...needs.map((need) => `tasks.t${need}.output`)].join(' + ')} }}` : index;
    const works = { uses: 'handler/note', with: { run: '${{ run.id }}', task: `t${index}`, value } };
    const fails = { uses: 'handler/fail', ...(does === 'recover' ? { with: { times: 1 } } : {}) };
    return {
      ...(does === 'fail' || does === 'recover' ? fails : works),
      needs: needs.map((need) => `t${need}`),
      resources: { cpu },
      ...(does === 'refuse' ? { if: '${{ inputs.no }}' } : {}),
      ...(does === 'recover' ? { retry: { maxAttempts: 2, initialDelay: '5ms' } } : {}),
      ...(trigger === 'all-success' ? {} : { trigger }),
    };
  });
  return {
    name: 'random',
    inputs: { no: { type: 'boolean', default: false } },
    onFailure: options.onFailure,
    fuse: options.fuse,
    tasks: Object.fromEntries(tasks.map((task, index) => [`t${index}`, task])),
  };
}

/** Each task starts after all that it needs have ended. */
function faultsOfOrder(nodes: readonly Node[], events: readonly RunEvent[]): string[] {
  const place = (key: string, types: readonly string[]): number =>
    events.findIndex(({ taskKey, type }) => taskKey === key && types.includes(type));
  const ends = ['task.completed', 'task.failed', 'task.skipped', 'task.cancelled'];
  return nodes.flatMap(({ needs }, index) => {
    const started = place(`t${index}`, ['task.started']);
    if (started < 0) return [];
    return needs
      .filter((need) => place(`t${need}`, ends) < 0 || place(`t${need}`, ends) > started)
      .map((need) => `t${index} started before t${need} had ended`);
  });
}

function executions(runId: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { run, task } of readLedger(platform.ledger))
    if (run === runId) counts.set(task, (counts.get(task) ?? 0) + 1);
  return counts;
}

async function check(nodes: readonly Node[], run: RunView): Promise<void> {
  const events = await platform.events(run.runId);
  expect(faultsOfHistory(run, events)).toEqual([]);
  expect(faultsOfOrder(nodes, events)).toEqual([]);
  const counts = executions(run.runId);
  const noted = run.tasks.filter(({ key }) => ['complete', 'refuse'].includes(nodes[Number(key.slice(1))]?.does ?? ''));
  for (const { key, attempts, status } of noted) {
    if (status === 'completed') expect([key, counts.get(key)]).toEqual([key, attempts]);
    if (status === 'skipped') expect([key, counts.get(key)]).toEqual([key, undefined]);
  }
}

const modes = fc.record({ fuse: fc.boolean(), onFailure: fc.constantFrom('cancel', 'continue') });

test('any graph runs every task once, after its dependencies, with the right outputs', async () => {
  const nodes = graphs({ does: ['complete'], triggers: ['all-success'] });
  await fc.assert(
    fc.asyncProperty(nodes, modes, async (graph, mode) => {
      const run = await platform.run(documentOf(graph, { ...mode, sums: true }));
      expect(run.status).toBe('completed');
      const sums: number[] = [];
      for (const { needs } of graph) sums.push(1 + needs.reduce((sum, need) => sum + (sums[need] ?? 0), 0));
      expect(run.tasks.map(({ output, attempts }) => [output, attempts])).toEqual(sums.map((sum) => [sum, 1]));
      await check(graph, run);
    }),
    { numRuns: 30 },
  );
});

/** How each task ends when failures don't stop the run: the rules once more, in another way of writing. */
function modelOf(nodes: readonly Node[]): { status: string; reason: string | null }[] {
  const ended: { status: string; reason: string | null; bad: boolean }[] = [];
  for (const { needs, does, trigger } of nodes) {
    const before = needs.map((need) => ended[need]);
    const bad = before.some((each) => each?.bad);
    const met = isTriggered(trigger, before);
    if (!met) ended.push({ status: 'skipped', reason: bad ? 'dependency_failed' : 'dependency_skipped', bad });
    else if (does === 'refuse') ended.push({ status: 'skipped', reason: 'condition', bad: false });
    else if (does === 'fail') ended.push({ status: 'failed', reason: null, bad: true });
    else ended.push({ status: 'completed', reason: null, bad: false });
  }
  return ended.map(({ status, reason }) => ({ status, reason }));
}

const anything: Node['does'][] = ['complete', 'complete', 'complete', 'fail', 'recover', 'refuse'];
const triggers: Node['trigger'][] = ['all-success', 'all-success', 'all-done', 'one-success', 'none-failed'];

test('CM-T1, CM-T2, B6, C2: failures and skips pass on by rule, and no graph is ever stuck', async () => {
  await fc.assert(
    fc.asyncProperty(graphs({ does: anything, triggers }), async (graph) => {
      const run = await platform.run(documentOf(graph, { onFailure: 'continue', fuse: true, sums: false }));
      const model = modelOf(graph);
      expect(run.tasks.map(({ status, reason }) => ({ status, reason }))).toEqual(model);
      expect(run.status).toBe(model.some(({ status }) => status === 'failed') ? 'failed' : 'completed');
      await check(graph, run);
    }),
    { numRuns: 30 },
  );
});

test('a failure that stops the run leaves every task ended, and nothing begun after it', async () => {
  await fc.assert(
    fc.asyncProperty(graphs({ does: anything, triggers }), fc.boolean(), async (graph, fuse) => {
      const run = await platform.run(documentOf(graph, { onFailure: 'cancel', fuse, sums: false }));
      expect(run.status).toBe(run.tasks.some(({ status }) => status === 'failed') ? 'failed' : 'completed');
      await check(graph, run);
      const types = (await platform.events(run.runId)).map(({ type }) => type);
      const failed = types.indexOf('task.failed');
      if (failed >= 0) expect(types.slice(failed)).not.toContain('task.started');
    }),
    { numRuns: 25 },
  );
});

test('a chain of 250 fused tasks runs in slices, each task once', async () => {
  const tasks = Object.fromEntries(
    Array.from({ length: 250 }, (_, index) => [
      `t${index}`,
      { uses: 'handler/add', with: { a: 1, b: index === 0 ? 0 : `\${{ tasks.t${index - 1}.output }}` } },
    ]),
  );
  const run = await platform.run({ name: 'chain', tasks, outputs: { sum: '${{ tasks.t249.output }}' } });
  expect(run).toMatchObject({ status: 'completed', outputs: { sum: 250 } });
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('one to 200 to one: the join has all values', async () => {
  const middle = Array.from({ length: 200 }, (_, index) => `m${index}`);
  const tasks = {
    first: { uses: 'handler/add', with: { a: 1, b: 1 } },
    ...Object.fromEntries(
      middle.map((key, index) => [key, { uses: 'handler/add', with: { a: '${{ tasks.first.output }}', b: index } }]),
    ),
    last: { uses: 'handler/sum', with: { input: middle.map((key) => `\${{ tasks.${key}.output }}`) } },
  };
  const run = await platform.run({ name: 'fan', tasks, outputs: { sum: '${{ tasks.last.output }}' } });
  expect(run).toMatchObject({ status: 'completed', outputs: { sum: 400 + (199 * 200) / 2 } });
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('dense layers: ten of ten, each needs all of the layer before', async () => {
  const layer = (index: number): string[] => Array.from({ length: 10 }, (_, place) => `l${index}_${place}`);
  const tasks = Array.from({ length: 10 }, (_, index) => index).flatMap((index) =>
    layer(index).map((key) => [key, { uses: 'handler/noop', needs: index === 0 ? [] : layer(index - 1) }] as const),
  );
  const run = await platform.run({ name: 'dense', tasks: Object.fromEntries(tasks) });
  expect(run.status).toBe('completed');
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('LT-T6: runs of one workflow at the same time never mix', async () => {
  const document = {
    name: 'same',
    inputs: { n: { type: 'integer', required: true } },
    tasks: {
      a: { uses: 'handler/echo', with: { n: '${{ inputs.n }}' } },
      b: { uses: 'handler/echo', with: { n: '${{ tasks.a.output.n * 2 }}' } },
      c: { uses: 'handler/echo', with: { n: '${{ tasks.a.output.n * 3 }}' } },
      d: { uses: 'handler/add', with: { a: '${{ tasks.b.output.n }}', b: '${{ tasks.c.output.n }}' } },
    },
    outputs: { n: '${{ tasks.d.output }}' },
  };
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  const ids = await Promise.all(numbers.map((n) => platform.submit(document, { inputs: { n } })));
  const runs = await Promise.all(ids.map((id) => platform.wait(id)));
  expect(runs.map(({ outputs }) => outputs)).toEqual(numbers.map((n) => ({ n: n * 5 })));
  for (const run of runs) expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
});

test('CM-T4, LT-T2: a task starts when its own dependencies are done, while an unrelated slow one runs', async () => {
  const run = await platform.run({
    name: 'barrier',
    tasks: {
      slow: { uses: 'handler/sleep', with: { ms: 800 } },
      a: { uses: 'handler/noop' },
      b: { uses: 'handler/noop', needs: 'a' },
      c: { uses: 'handler/noop', needs: ['a', 'b'] },
    },
  });
  expect(run.status).toBe('completed');
  const finished = new Map(run.tasks.map(({ key, finishedAt }) => [key, Date.parse(finishedAt ?? '')]));
  expect((finished.get('slow') ?? 0) - (finished.get('c') ?? 0)).toBeGreaterThan(300);
});
