import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl, requestFork, requestRerun } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';

const ANYBODY = '00000000-0000-0000-0000-000000000000';
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.open();
});
afterAll(() => platform.close());

const note = (task: string, value: unknown, rest: Record<string, unknown> = {}) => ({
  uses: 'handler/note',
  with: { run: '${{ run.id }}', task, value },
  ...rest,
});

/** a -> (b, c) -> d, and e apart. */
const DIAMOND = {
  name: 'again',
  inputs: { x: { type: 'integer', default: 1 }, y: { type: 'integer', default: 1 } },
  tasks: {
    a: note('a', '${{ inputs.x }}'),
    b: note('b', { from: '${{ tasks.a.output }}', y: '${{ inputs.y }}' }),
    c: note('c', 'x'.repeat(100_000), { needs: 'a' }),
    d: note('d', { b: '${{ tasks.b.output }}', c: '${{ size(tasks.c.output) }}' }),
    e: note('e', 5),
  },
  outputs: { d: '${{ tasks.d.output }}', e: '${{ tasks.e.output }}' },
};

/** How often each task of a run was executed. */
function executions(runId: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { run, task } of readLedger(platform.ledger)) {
    if (run === runId) counts[task] = (counts[task] ?? 0) + 1;
  }
  return counts;
}

async function completed(workflow: Record<string, unknown> = DIAMOND): Promise<string> {
  const runId = await platform.submit(workflow);
  expect((await platform.wait(runId)).status).toBe('completed');
  return runId;
}

async function fork(runId: string, from: string[], inputs?: Record<string, unknown>): Promise<string> {
  const forked = await requestFork(platform.engine, { runId, from, inputs, apiKeyId: ANYBODY });
  platform.runs.push(forked.runId);
  return forked.runId;
}

const rerun = (runId: string, task: string, downstream = true) =>
  requestRerun(platform.engine, runId, { task, downstream });

describe('with a scheduler and a worker', () => {
  beforeAll(async () => {
    await platform.scheduler();
    await platform.worker();
  });
  afterEach(() => platform.settled());
  afterAll(() => platform.stopParts());

  test('a task of a completed run, with all downstream of it, runs again; the rest is reused', async () => {
    const runId = await completed();
    await rerun(runId, 'b');
    const run = await platform.wait(runId);
    expect(run).toMatchObject({ status: 'completed', outputs: { d: { b: { from: 1, y: 1 }, c: 100_000 }, e: 5 } });
    expect(executions(runId)).toEqual({ a: 1, b: 2, c: 1, d: 2, e: 1 });
    expect(run.tasks.map(({ key, attempts, reused }) => [key, attempts, reused])).toEqual([
      ['a', 1, true],
      ['b', 2, false],
      ['c', 1, true],
      ['d', 2, false],
      ['e', 1, true],
    ]);
    const resumed = (await platform.events(runId)).find(({ type }) => type === 'run.resumed');
    expect(resumed?.data).toEqual({ reason: 'rerun', task: 'b' });
    expect(run.summary?.criticalPath.map(({ key }) => key)).toEqual(['b', 'd']);
    expect(run.reopenedAt).not.toBeNull();
  });

  test('a task alone runs again', async () => {
    const runId = await completed();
    await rerun(runId, 'a', false);
    expect((await platform.wait(runId)).status).toBe('completed');
    expect(executions(runId)).toEqual({ a: 2, b: 1, c: 1, d: 1, e: 1 });
  });

  test('again and again', async () => {
    const runId = await completed();
    for (const task of ['d', 'a', 'c']) {
      await rerun(runId, task);
      expect((await platform.wait(runId)).status).toBe('completed');
    }
    expect(executions(runId)).toEqual({ a: 2, b: 2, c: 3, d: 4, e: 1 });
  });

  test('a rerun within a fused chain goes on from where it begins', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 10 }, (_, n) => [`t${n}`, note(`t${n}`, n, n === 0 ? {} : { needs: `t${n - 1}` })]),
    );
    const runId = await completed({ name: 'chain', tasks: chain });
    await rerun(runId, 't6');
    expect((await platform.wait(runId)).status).toBe('completed');
    const counts = Object.values(executions(runId));
    expect(counts).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  test('a failure elsewhere stays, and so does the skip after it', async () => {
    const runId = await platform.submit({
      name: 'partly',
      onFailure: 'continue',
      tasks: {
        good: note('good', 1),
        bad: { uses: 'handler/fail', with: { times: 1 } },
        after: note('after', 2, { needs: 'bad' }),
      },
    });
    expect((await platform.wait(runId)).status).toBe('failed');
    await rerun(runId, 'good');
    const run = await platform.wait(runId);
    expect(run.status).toBe('failed');
    expect(run.tasks.map(({ key, status, attempts }) => [key, status, attempts])).toEqual([
      ['good', 'completed', 2],
      ['bad', 'failed', 1],
      ['after', 'skipped', 0],
    ]);
    await rerun(runId, 'bad');
    const mended = await platform.wait(runId);
    expect(mended).toMatchObject({ status: 'completed', error: null });
    expect(executions(runId)).toEqual({ good: 2, after: 1 });
  });

  test('what was cancelled runs too', async () => {
    const runId = await platform.submit({
      name: 'stopped',
      tasks: {
        first: note('first', 1),
        slow: note('slow', 2, { needs: 'first', with: slow('slow') }),
        last: note('last', 3, { needs: 'slow' }),
      },
    });
    await eventually('slow runs', async () => {
      const { tasks } = await platform.read(runId);
      return tasks[1]?.status === 'running' ? true : undefined;
    });
    await requestCancel(platform.engine, runId, 'enough');
    expect((await platform.wait(runId)).status).toBe('cancelled');
    await rerun(runId, 'first');
    await eventually('slow runs again', async () => {
      const { tasks } = await platform.read(runId);
      return tasks[1]?.status === 'running' ? true : undefined;
    });
    await requestCancel(platform.engine, runId, 'enough again');
    expect((await platform.wait(runId)).status).toBe('cancelled');
    expect(executions(runId)).toEqual({ first: 2, slow: 2 });
  });

  test('the retry policy counts anew with a rerun', async () => {
    const retry = { maxAttempts: 2, initialDelay: '1ms' };
    const runId = await platform.submit({
      name: 'policy',
      tasks: { a: { uses: 'handler/fail', with: { times: 3 }, retry } },
    });
    expect((await platform.wait(runId)).tasks[0]).toMatchObject({ status: 'failed', attempts: 2 });
    await rerun(runId, 'a');
    // The third attempt fails, the fourth does not.
    expect((await platform.wait(runId)).tasks[0]).toMatchObject({ status: 'completed', attempts: 4, output: 4 });
  });

  test('a rerun has the whole timeout of the run for itself', async () => {
    const runId = await platform.submit({
      name: 'timed',
      timeout: '3s',
      tasks: {
        a: { uses: 'handler/fail', with: { times: 1 } },
        b: { uses: 'handler/sleep', with: { ms: 600 }, needs: 'a' },
      },
    });
    const failed = await platform.wait(runId);
    expect(failed.status).toBe('failed');
    // Less is left of the time since its start than b takes.
    const late = Date.parse(failed.startedAt ?? '') + 2_700;
    await eventually('most of its time has passed', () => Date.now() > late);
    await requestControl(platform.engine, runId, 'retry');
    expect((await platform.wait(runId)).status).toBe('completed');
    await rerun(runId, 'b');
    expect((await platform.wait(runId)).status).toBe('completed');
  });

  test('only of a run that has ended, and of a task that it has', async () => {
    const held = await platform.submit({ name: 'later', tasks: { a: note('a', 1) } }, { delay: '1h' });
    await expect(rerun(held, 'a')).rejects.toMatchObject({ code: 'illegal_transition' });
    await expect(rerun(held, 'z')).rejects.toMatchObject({ code: 'task_not_found' });
    await expect(rerun('nobody', 'a')).rejects.toMatchObject({ code: 'run_not_found' });
    await requestCancel(platform.engine, held, 'over');
    await platform.wait(held);
  });

  test('of two reruns at once one is refused, and nothing runs twice', async () => {
    const file = join(platform.folder, 'let-it-end');
    writeFileSync(file, '');
    const runId = await completed({
      name: 'held',
      tasks: { e: note('e', 1), h: { uses: 'handler/hold', with: { file }, needs: 'e' } },
    });
    rmSync(file);
    const asked = await Promise.allSettled([rerun(runId, 'e'), rerun(runId, 'e'), rerun(runId, 'e')]);
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    writeFileSync(file, '');
    await platform.wait(runId);
    expect(executions(runId)['e']).toBe(2);
  });

  test('a fork reuses what is not downstream, large outputs too, and leaves its source alone', async () => {
    const source = await completed();
    const before = await platform.read(source);
    const runId = await fork(source, ['d']);
    const run = await platform.wait(runId);
    expect(run).toMatchObject({ status: 'completed', forkedFrom: source, outputs: { d: { c: 100_000 }, e: 5 } });
    expect(executions(runId)).toEqual({ d: 1 });
    expect(run.tasks.find(({ key }) => key === 'c')).toMatchObject({ reused: true, output: 'x'.repeat(100_000) });
    const [created] = await platform.events(runId);
    expect(created).toMatchObject({ type: 'run.created', data: { workflow: 'again', forkedFrom: source } });
    expect(await platform.read(source)).toEqual(before);
    // The fork is a run like any other.
    await rerun(runId, 'c');
    expect((await platform.wait(runId)).status).toBe('completed');
    expect(executions(runId)).toEqual({ c: 1, d: 2 });
  });

  test('a fork may change inputs that nothing reused was made from', async () => {
    const source = await completed();
    const runId = await fork(source, ['b'], { y: 7 });
    expect(await platform.wait(runId)).toMatchObject({
      outputs: { d: { b: { from: 1, y: 7 } } },
      inputs: { x: 1, y: 7 },
    });
    expect(executions(runId)).toEqual({ b: 1, d: 1 });
    await expect(fork(source, ['b'], { x: 2 })).rejects.toMatchObject({
      code: 'invalid_inputs',
      faults: [{ pointer: '/inputs/x', message: 'task "a" is reused and made from the old value: name it in "from"' }],
    });
    await expect(fork(source, ['b'], { x: 1, y: 'no' })).rejects.toMatchObject({ faults: [{ pointer: '/inputs/y' }] });
    await expect(fork(source, ['z'])).rejects.toMatchObject({ code: 'bad_request', faults: [{ pointer: '/from/0' }] });
    const all = await fork(source, ['a'], { x: 3 });
    expect((await platform.wait(all)).outputs).toMatchObject({ d: { b: { from: 3 } } });
  });

  test('a fork of a failed run does what failed, and what was cancelled, again', async () => {
    const source = await platform.submit({
      name: 'broken',
      tasks: {
        a: note('a', 1),
        f: { uses: 'handler/fail', needs: 'a' },
        z: note('z', 2, { needs: 'f' }),
        last: note('last', 3, { needs: ['a'], if: '${{ tasks.a.output == 2 }}' }),
      },
    });
    expect((await platform.wait(source)).status).toBe('failed');
    const runId = await fork(source, ['z']);
    const run = await platform.wait(runId);
    expect(run.tasks.map(({ key, status, reused }) => [key, status, reused])).toEqual([
      ['a', 'completed', true],
      ['f', 'failed', false],
      ['z', 'cancelled', false],
      ['last', 'skipped', true],
    ]);
    expect(executions(runId)).toEqual({});
  });

  test('the same Idempotency-Key gives the first fork', async () => {
    const source = await completed();
    const asked = { runId: source, from: ['d'], apiKeyId: ANYBODY, idempotencyKey: `k-${source}` };
    const all = await Promise.all([1, 2, 3].map(() => requestFork(platform.engine, asked)));
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    await expect(requestFork(platform.engine, { ...asked, from: ['b'] })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    const runId = all[0]?.runId ?? '';
    platform.runs.push(runId);
    await platform.wait(runId);
    expect(executions(runId)).toEqual({ d: 1 });
  });
});

const slow = (task: string) => ({ run: '${{ run.id }}', task, value: 0, ms: 60_000 });

describe('a fork before it is queued', () => {
  test('can be paused, and then runs only what is left; can be cancelled', async () => {
    const scheduler = await platform.scheduler();
    const worker = await platform.worker();
    const source = await completed();
    await scheduler.stop();
    const paused = await fork(source, ['d']);
    const cancelled = await fork(source, ['d']);
    // The pause comes first: the row that queues the fork finds its hash.
    await platform.engine.db.query(`update outbox set not_before = now() + interval '2 s' where kind = 'fork'`);
    await requestControl(platform.engine, paused, 'pause');
    await requestCancel(platform.engine, cancelled, 'never mind');
    await platform.scheduler();
    expect(await platform.wait(cancelled)).toMatchObject({ status: 'cancelled' });
    await eventually('it is paused', async () =>
      (await platform.read(paused)).status === 'paused' ? true : undefined,
    );
    await requestControl(platform.engine, paused, 'resume');
    expect((await platform.wait(paused)).status).toBe('completed');
    expect(executions(paused)).toEqual({ d: 1 });
    expect(executions(cancelled)).toEqual({});
    await platform.settled();
    await worker.stop();
    await platform.stopParts();
  });
});

describe.each(['after-create', 'after-outbox-send'] as const)('a scheduler that is killed %s', (race) => {
  test('leaves a rerun and a fork that end right, and nothing runs twice', async () => {
    const worker = await platform.worker();
    const first = await platform.scheduler();
    const again = await completed();
    const source = await completed();
    await first.stop();
    await rerun(again, 'b');
    const doomed = await platform.spawn({ kind: 'scheduler', race });
    expect(await doomed.ended).toBe('SIGKILL');
    const runId = await fork(source, ['b']);
    const other = await platform.spawn({ kind: 'scheduler', race });
    expect(await other.ended).toBe('SIGKILL');
    await platform.scheduler();
    expect(await platform.wait(again)).toMatchObject({ status: 'completed', outputs: { d: { c: 100_000 } } });
    expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { d: { c: 100_000 } } });
    expect(executions(again)).toEqual({ a: 1, b: 2, c: 1, d: 2, e: 1 });
    expect(executions(runId)).toEqual({ b: 1, d: 1 });
    await platform.settled();
    await worker.stop();
    await platform.stopParts();
  });
});
