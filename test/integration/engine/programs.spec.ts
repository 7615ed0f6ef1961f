import { requestControl, saveDocument, signalRun } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import * as fc from 'fast-check';
import { z } from 'zod';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { isTriggered } from '../../support/trigger-model';
import { runsBelow } from '../../support/run-tree';

/** More programs, or those of a run that failed: `PROGRAMS=500 PROGRAMS_SEED=7 npm test -- programs`. */
const COUNT = Number(process.env['PROGRAMS'] ?? 30);
const SEED = Number(process.env['PROGRAMS_SEED'] ?? Date.now() % 1_000_000);

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ schedulers: 2 });
  for (const bad of [false, true]) await saveDocument(platform.engine, readDocument(inner(bad)));
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

const note = (key: string, value: unknown) => ({
  uses: 'handler/note',
  with: { run: '${{ run.id }}', task: key, value },
});
const RETRY = { retry: { maxAttempts: 2, initialDelay: '1ms' } };
/** Fails in its first attempt, whatever run or retry that belongs to. */
const ONCE_BAD = { uses: 'handler/fail', with: { times: 1 } };

function inner(bad: boolean): Record<string, unknown> {
  return {
    name: bad ? 'inner-bad' : 'inner-good',
    tasks: {
      n_pre: note('n_pre', 1),
      mid: bad ? { ...ONCE_BAD, needs: 'n_pre' } : { uses: 'transform', needs: 'n_pre', with: 1 },
      n_post: { ...note('n_post', 3), needs: 'mid' },
    },
    outputs: { post: '${{ tasks.n_post.output }}' },
  };
}

/** A round notes, then fails once in the round named, then gives its index. */
const round = (badRound: number) => ({
  tasks: {
    n_pre: note('n_pre', 1),
    may: { ...ONCE_BAD, if: `\${{ each.index == ${badRound} }}`, needs: 'n_pre' },
    n_do: { ...note('n_do', '${{ each.index }}'), needs: 'may', trigger: 'none-failed' },
  },
  output: '${{ tasks.n_do.output }}',
});

const map = (badRound: number, more: object = {}) => ({
  uses: 'map',
  with: { over: [7, 7, 7], concurrency: 2, ...more, ...round(badRound) },
});
const loop = (badRound: number) => ({ uses: 'loop', with: { while: '${{ each.index < 3 }}', ...round(badRound) } });

type End = 'completed' | 'failed' | 'skipped';
interface Does {
  readonly task: (key: string) => object;
  readonly end: End;
  readonly output?: unknown;
}

const LIST = [0, 1, 2];
/** What a task may do, how it ends when it is begun for the first time, and what it gives then. */
const DOES = {
  note: { task: (key) => note(key, 5), end: 'completed', output: 5 },
  fail: { task: () => ONCE_BAD, end: 'failed' },
  recover: { task: () => ({ ...ONCE_BAD, ...RETRY }), end: 'completed', output: 2 },
  refuse: { task: () => ({ uses: 'transform', with: 1, if: false }), end: 'skipped' },
  map: { task: () => map(9), end: 'completed', output: LIST },
  badMap: { task: () => map(1), end: 'failed' },
  mendedMap: { task: () => ({ ...map(1), ...RETRY }), end: 'completed', output: LIST },
  bearingMap: { task: () => map(0, { onFailure: 'continue' }), end: 'completed' },
  loop: { task: () => loop(9), end: 'completed', output: { rounds: 3, last: 2 } },
  badLoop: { task: () => loop(2), end: 'failed' },
  mendedLoop: { task: () => ({ ...loop(1), ...RETRY }), end: 'completed', output: { rounds: 3, last: 2 } },
  sub: { task: () => ({ uses: 'workflow/inner-good' }), end: 'completed', output: { post: 3 } },
  badSub: { task: () => ({ uses: 'workflow/inner-bad' }), end: 'failed' },
  mendedSub: { task: () => ({ uses: 'workflow/inner-bad', ...RETRY }), end: 'completed', output: { post: 3 } },
  wait: { task: () => ({ uses: 'wait', with: { for: '5ms' } }), end: 'completed' },
  signal: { task: (key) => ({ uses: 'wait', with: { signal: key } }), end: 'completed', output: 'go' },
} satisfies Record<string, Does>;
type DoesName = keyof typeof DOES;

interface Node {
  readonly needs: readonly number[];
  readonly does: DoesName;
  readonly trigger: 'all-success' | 'all-done' | 'one-success' | 'none-failed';
  /** With a number a switch is put before it, which takes one of two arms: that task, or one that notes. */
  readonly arm: 0 | 1 | undefined;
}

const programs: fc.Arbitrary<Node[]> = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(11), { maxLength: 3 }),
      does: fc.constantFrom(...(Object.keys(DOES) as DoesName[])),
      trigger: fc.constantFrom('all-success', 'all-success', 'all-done', 'one-success', 'none-failed' as const),
      arm: fc.constantFrom(undefined, undefined, undefined, 0 as const, 1 as const),
    }),
    { minLength: 2, maxLength: 12 },
  )
  .map((drafts) =>
    drafts.map((each, index) => ({
      ...each,
      needs: index === 0 ? [] : [...new Set(each.needs.map((need) => need % index))],
    })),
  );

const keyOf = (nodes: readonly Node[], index: number) => (nodes[index]?.does === 'note' ? `n_${index}` : `t_${index}`);

function documentOf(nodes: readonly Node[], onFailure: string): Record<string, unknown> {
  const tasks = nodes.flatMap((node, index) => {
    const key = keyOf(nodes, index);
    const needs = node.needs.map((need) => keyOf(nodes, need));
    const trigger = node.trigger === 'all-success' ? {} : { trigger: node.trigger };
    const task = DOES[node.does].task(key);
    if (node.arm === undefined) return [[key, { ...task, needs, ...trigger }]];
    const choose = {
      uses: 'switch',
      needs,
      ...trigger,
      with: { on: node.arm, cases: { 0: key, 1: `n_other${index}` } },
    };
    return [
      [`choose${index}`, choose],
      [key, task],
      [`n_other${index}`, note(`n_other${index}`, 6)],
    ];
  });
  return { name: 'program', onFailure, tasks: Object.fromEntries(tasks) as Record<string, unknown> };
}

/** How each task ends when failures don't stop the run: the rules in another way of writing. */
function modelOf(nodes: readonly Node[]): Map<string, End> {
  const ends = new Map<string, End>();
  const known: { status: End; bad: boolean }[] = [];
  nodes.forEach(({ needs, does, trigger, arm }, index) => {
    const before = needs.map((need) => known[need]);
    const bad = before.some((each) => each?.bad);
    const met = isTriggered(trigger, before);
    const taken = met && arm !== 1;
    const end: End = taken ? DOES[does].end : 'skipped';
    ends.set(keyOf(nodes, index), end);
    known.push({ status: end, bad: end === 'failed' || (!met && bad) });
    if (arm === undefined) return;
    ends.set(`choose${index}`, met ? 'completed' : 'skipped');
    ends.set(`n_other${index}`, met && arm === 1 ? 'completed' : 'skipped');
  });
  return ends;
}

async function signalAll(nodes: readonly Node[], runId: string): Promise<void> {
  for (const [index, { does }] of nodes.entries()) {
    const name = keyOf(nodes, index);
    if (does === 'signal') await signalRun(platform.engine, { runId, name, payload: 'go', sender: 'me' });
  }
}

const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];
const rowSchema = z.object({ run_id: z.string(), key: z.string(), status: z.string(), attempts: z.number() });

/** Of the run and all below it: nothing was executed without an attempt; one that a cancel stopped at once may not have come to it. */
async function expectCounted(runId: string): Promise<void> {
  // A cancel reaches the runs below when the run itself has ended, and history is behind.
  const below = await eventually('all runs below have ended', async () => {
    const found = await runsBelow(platform, runId);
    return found.every(({ status }) => ENDED.includes(status)) ? found : undefined;
  });
  const runs = [runId, ...below.map(({ id }) => id)];
  const rows = await platform.engine.db.query(
    `select run_id, key, status, attempts from tasks where run_id = any($1) and key like 'n\\_%'`,
    [runs],
  );
  const counts = new Map<string, number>();
  for (const { run, task } of readLedger(platform.ledger))
    counts.set(`${run} ${task}`, (counts.get(`${run} ${task}`) ?? 0) + 1);
  const wrong = rows
    .map((row) => rowSchema.parse(row))
    .flatMap(({ run_id, key, status, attempts }) => {
      const count = counts.get(`${run_id} ${key}`) ?? 0;
      return count <= attempts && (status !== 'completed' || count > 0)
        ? []
        : [`${run_id} ${key}: ${attempts} attempts, ${count} executions`];
    });
  expect(wrong).toEqual([]);
}

async function check(nodes: readonly Node[], onFailure: 'cancel' | 'continue'): Promise<void> {
  const model = modelOf(nodes);
  const runId = await platform.submit(documentOf(nodes, onFailure));
  await signalAll(nodes, runId).catch(ignoreEnd);
  let run = await platform.wait(runId, 30_000);
  expect(faultsOfHistory(run, await platform.events(runId))).toEqual([]);
  const failures = [...model.values()].filter((end) => end === 'failed').length;
  expect(run.status).toBe(failures > 0 ? 'failed' : 'completed');
  if (onFailure === 'continue') {
    expect(run.tasks.map(({ key, status }) => [key, status])).toEqual(
      run.tasks.map(({ key }) => [key, model.get(key)]),
    );
  }
  await expectCounted(runId);
  // Each retry gets past one failure at least: in the end nothing is left that fails.
  for (let left = nodes.length; run.status === 'failed' && left > 0; left -= 1) {
    const done = run.tasks.filter(({ status }) => status === 'completed');
    await requestControl(platform.engine, runId, 'retry');
    await signalAll(nodes, runId).catch(ignoreEnd);
    run = await platform.wait(runId, 30_000);
    const kept = run.tasks.filter(({ key }) => done.some((each) => each.key === key));
    expect(kept.map(({ key, attempts, output }) => ({ key, attempts, output }))).toEqual(
      done.map(({ key, attempts, output }) => ({ key, attempts, output })),
    );
    await expectCounted(runId);
  }
  expect(run.status).toBe('completed');
  for (const [index, { does }] of nodes.entries()) {
    const task = run.tasks.find(({ key }) => key === keyOf(nodes, index));
    const { output } = DOES[does] as Does;
    if (task?.status === 'completed' && output !== undefined) expect([does, task.output]).toEqual([does, output]);
  }
  const below = await runsBelow(platform, runId);
  expect(below.filter(({ status }) => !ENDED.includes(status))).toEqual([]);
}

/** A run may have ended before the last signal was sent. */
function ignoreEnd(error: unknown): void {
  expect(error).toMatchObject({ code: 'illegal_transition' });
}

test(
  `${COUNT} programs of all kinds of tasks end as the rules say, and retries redo nothing that is done (seed ${SEED})`,
  async () => {
    await fc.assert(fc.asyncProperty(programs, fc.constantFrom('cancel' as const, 'continue' as const), check), {
      numRuns: COUNT,
      seed: SEED,
      endOnFailure: true,
    });
  },
  60_000 + COUNT * 10_000,
);
