import { randomUUID } from 'node:crypto';
import type { EventType } from '@lattice/contracts';
import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { insertRun } from '../runs/insert-run';
import { getRun } from '../runs/get-run';
import { taskResults } from '../runs/task-results';
import { storeOutput } from '../outputs/outputs';
import type { HistoryEntry } from './entry';
import { openHistorian, type Historian } from './historian';
import { lastEventId, readEvents, readLogs } from './read-events';
import { raiseLatticeEpoch, readWatermark } from './watermark';

let test_: TestDatabase;
let historian: Historian;
let number = 0;
beforeAll(async () => {
  test_ = await testDatabase();
  historian = openHistorian(test_.db);
  expect(await historian.tryAcquire()).toBe(true);
});
afterAll(async () => {
  await historian.close();
  await test_.drop();
});

const error = { code: 'task_failed', message: 'no', retryable: true };

async function newRun(keys: readonly string[] = ['a', 'b']): Promise<string> {
  const runId = randomUUID();
  await insertRun(test_.db, {
    runId,
    workflow: 'w',
    version: null,
    documentSha: 'sha',
    document: { name: 'w', tasks: {} },
    priority: 0,
    onFailure: 'cancel',
    tags: [],
    inputs: {},
    tasks: keys.map((key, position) => ({ key, position })),
  });
  return runId;
}

function entry(runId: string, type: EventType, data: unknown, rest: Partial<HistoryEntry> = {}): HistoryEntry {
  number += 1;
  return {
    streamId: `1000-${number}`,
    type,
    runId,
    epoch: 1,
    taskKey: type.startsWith('task.') ? 'a' : null,
    attempt: null,
    at: 1_700_000_000_000 + number,
    data: typeof data === 'string' ? data : JSON.stringify(data),
    ...rest,
  };
}

test('a run is written with its tasks, events and logs, and ids rise in order', async () => {
  const runId = await newRun();
  const start = BigInt(await lastEventId(test_.db));
  const batch = [
    entry(runId, 'run.started', {}),
    entry(runId, 'task.queued', {}),
    entry(runId, 'task.started', { workerId: 'w1' }, { attempt: 1 }),
    entry(runId, 'task.log', { stream: 'stderr', text: 'nul \0 and ü' }, { attempt: 1 }),
    entry(runId, 'task.completed', { output: { text: '\0' } }, { attempt: 1 }),
    entry(runId, 'task.skipped', { reason: 'condition' }, { taskKey: 'b' }),
    entry(runId, 'run.completed', { outputs: { x: '\0' } }),
  ];
  const { ids, faults } = await historian.write(batch);
  expect(faults).toEqual([]);
  expect(ids).toEqual(batch.map((_, index) => String(start + BigInt(index + 1))));
  const run = await getRun(test_.db, runId);
  expect(run).toMatchObject({ status: 'completed', outputs: { x: '\0' } });
  expect(run?.tasks).toMatchObject([
    { key: 'a', status: 'completed', attempts: 1, workerId: 'w1', output: { text: '\0' } },
    { key: 'b', status: 'skipped', attempts: 0, reason: 'condition', output: null },
  ]);
  expect(run?.tasks[0]?.startedAt).toBe(new Date(batch[2]?.at ?? 0).toISOString());
  const events = await readEvents(test_.db, { runId, limit: 100 });
  expect(events.map((event) => event.id)).toEqual(ids);
  expect(await readEvents(test_.db, { runId, afterId: ids[4] ?? '', limit: 1 })).toMatchObject([{ id: ids[5] }]);
  expect(await readLogs(test_.db, { runId, taskKey: 'a', attempt: 1, limit: 9 })).toMatchObject([
    { id: ids[3], attempt: 1, stream: 'stderr', text: 'nul \0 and ü' },
  ]);
  expect(await readLogs(test_.db, { runId, taskKey: 'a', attempt: 2, limit: 9 })).toEqual([]);
  expect(await lastEventId(test_.db, runId)).toBe(ids.at(-1));
  expect(await readWatermark(test_.db)).toMatchObject({ streamId: batch.at(-1)?.streamId, lastEventId: ids.at(-1) });
});

test('a batch given twice is written once', async () => {
  const runId = await newRun();
  const batch = [entry(runId, 'run.started', {}), entry(runId, 'task.queued', {})];
  const first = await historian.write(batch);
  const more = entry(runId, 'task.started', { workerId: 'w' }, { attempt: 1 });
  const second = await historian.write([...batch, more]);
  expect(second.ids.slice(0, 2)).toEqual([null, null]);
  expect(await readEvents(test_.db, { runId, limit: 100 })).toMatchObject([
    { id: first.ids[0] },
    { id: first.ids[1] },
    { id: second.ids[2] },
  ]);
});

test('an output kept apart is read with the run', async () => {
  const runId = await newRun();
  const output = JSON.stringify('x'.repeat(70_000));
  await storeOutput(test_.db, { runId, epoch: 1, taskKey: 'a', attempt: 1 }, output);
  await storeOutput(test_.db, { runId, epoch: 1, taskKey: 'a', attempt: 2 }, '"late"');
  await historian.write([entry(runId, 'task.completed', { output: null }, { attempt: 1, outputBytes: output.length })]);
  expect((await getRun(test_.db, runId))?.tasks[0]?.output).toBe(JSON.parse(output));
  expect((await taskResults(test_.db, runId))[0]).toMatchObject({ output: null, outputBytes: output.length });
});

test('what comes late, from an older attempt or epoch, or after the end, changes nothing', async () => {
  const runId = await newRun();
  await historian.write([entry(runId, 'task.started', { workerId: 'w2' }, { attempt: 2 })]);
  await historian.write([entry(runId, 'task.completed', { output: 'late' }, { attempt: 1 })]);
  await historian.write([entry(runId, 'task.queued', { reason: 'late' })]);
  expect((await getRun(test_.db, runId))?.tasks[0]).toMatchObject({ status: 'running', attempts: 2, output: null });
  await historian.write([entry(runId, 'task.started', { workerId: 'w3' }, { attempt: 1, epoch: 2 })]);
  await historian.write([entry(runId, 'task.completed', { output: 'old epoch' }, { attempt: 9, epoch: 1 })]);
  await historian.write([entry(runId, 'task.completed', { output: 'new' }, { attempt: 1, epoch: 2 })]);
  await historian.write([entry(runId, 'task.cancelled', { reason: 'too late' }, { epoch: 2 })]);
  expect((await getRun(test_.db, runId))?.tasks[0]).toMatchObject({
    status: 'completed',
    workerId: 'w3',
    output: 'new',
  });
  await historian.write([entry(runId, 'run.failed', { error })]);
  await historian.write([entry(runId, 'run.completed', { outputs: {} })]);
  expect(await getRun(test_.db, runId)).toMatchObject({ status: 'failed', error, outputs: null });
});

test('a task that waits may be told another reason', async () => {
  const runId = await newRun();
  await historian.write([entry(runId, 'task.queued', {})]);
  await historian.write([entry(runId, 'task.queued', { reason: 'no worker has a gpu' })]);
  expect((await getRun(test_.db, runId))?.tasks[0]).toMatchObject({ status: 'queued', reason: 'no worker has a gpu' });
});

test('a bad event goes to the faulty ones, the rest of the batch goes on, and its task still ends', async () => {
  const runId = await newRun(['a', 'b', 'c']);
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const batch = [
    entry(runId, 'task.started', { workerId: 'w' }, { attempt: 1 }),
    entry(runId, 'task.log', '{"stream":"stdout"', { attempt: 1 }),
    entry(runId, 'task.completed', `{"output":${deep}}`, { attempt: 1 }),
    entry(runId, 'task.failed', { error: 'not an error' }, { taskKey: 'b', attempt: 1 }),
    entry(runId, 'task.completed', { output: 1 }, { taskKey: 'b\0', attempt: 1 }),
    entry('no uuid', 'run.started', {}),
    entry(runId, 'run.started', {}, { at: Number.NaN }),
    entry(runId, 'task.completed', { output: 3 }, { taskKey: 'c', attempt: 1 }),
  ];
  const { ids, faults } = await historian.write(batch);
  expect(ids.map((id) => id !== null)).toEqual([true, false, true, true, false, false, false, true]);
  expect(faults.map((fault) => fault.streamId)).toEqual(batch.slice(1, 7).map((bad) => bad.streamId));
  const run = await getRun(test_.db, runId);
  expect(run?.tasks).toMatchObject([
    { status: 'completed', output: null },
    { status: 'failed', error: { code: 'internal' } },
    { status: 'completed', output: 3 },
  ]);
  expect(run?.tasks[1]?.error?.message).toContain(batch[3]?.streamId);
  const kept = await test_.db.query('select stream_id, fields, error from faulty_events order by stream_id');
  expect(kept).toHaveLength(6);
  expect((await readEvents(test_.db, { runId, limit: 100 })).map((event) => event.id)).toEqual(
    ids.filter((id) => id !== null),
  );
});

test('more than one statement holds is written in several', async () => {
  const runId = await newRun();
  const text = 'x'.repeat(3_000_000);
  const batch = [
    ...Array.from({ length: 4 }, () => entry(runId, 'task.log', { stream: 'stdout', text }, { attempt: 1 })),
    ...Array.from({ length: 2_500 }, () => entry(runId, 'task.progress', { percent: 1 }, { attempt: 1 })),
  ];
  const { ids } = await historian.write(batch);
  expect(new Set(ids).size).toBe(batch.length);
});

test('entries out of order are refused', async () => {
  const runId = await newRun();
  const [first, second] = [entry(runId, 'run.started', {}), entry(runId, 'run.paused', {})];
  await expect(historian.write([second, first])).rejects.toThrow('out of order');
});

test('one historian at a time; when its connection is lost another takes over', async () => {
  const lost: Error[] = [];
  const other = await test_.open('scheduler-2');
  const second = openHistorian(other, { onLost: (cause) => lost.push(cause) });
  expect(await second.tryAcquire()).toBe(false);
  await expect(second.write([])).rejects.toThrow('does not hold the lock');
  await historian.close();
  expect(historian.held).toBe(false);
  expect(await second.tryAcquire()).toBe(true);
  const runId = await newRun();
  await second.write([entry(runId, 'run.started', {})]);
  await test_.administer(
    `select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
     where l.locktype = 'advisory' and d.datname = '${new URL(test_.url).pathname.slice(1)}'`,
  );
  await expect(second.write([entry(runId, 'run.paused', {})])).rejects.toThrow();
  expect(second.held).toBe(false);
  expect(lost).toHaveLength(1);
  expect(await historian.tryAcquire()).toBe(true);
  await second.close();
});

test('a raised epoch lets the watermark fall back to where the Redis found stands', async () => {
  const runId = await newRun();
  await historian.write([entry(runId, 'run.started', {}, { streamId: '9000-0' })]);
  expect(await raiseLatticeEpoch(test_.db, { lastStreamId: '9001-0' })).toMatchObject({ streamId: '9000-0', epoch: 1 });
  expect(await raiseLatticeEpoch(test_.db, { lastStreamId: '500-7' })).toMatchObject({ streamId: '500-7', epoch: 2 });
  const { ids } = await historian.write([
    entry(runId, 'run.paused', {}, { streamId: '500-7' }),
    entry(runId, 'run.resumed', {}, { streamId: '500-8' }),
  ]);
  expect(ids).toEqual([null, expect.any(String)]);
  number = 0;
  await historian.write([entry(runId, 'run.paused', {}, { streamId: '999-0' })]);
});

const DATA = {
  'task.queued': { reason: 'waits' },
  'task.started': { workerId: 'w' },
  'task.retrying': { delay: 5, error },
  'task.completed': { output: 1 },
  'task.failed': { error },
  'task.cancelled': { reason: 'asked' },
};
interface Step {
  key: string;
  kind: keyof typeof DATA;
  attempt: number | null;
}

/** The way of one task as the stream has it. */
const way = (key: string): fc.Arbitrary<Step[]> =>
  fc
    .record({
      queued: fc.integer({ min: 0, max: 2 }),
      retries: fc.integer({ min: 0, max: 2 }),
      end: fc.constantFrom('task.completed', 'task.failed', 'task.cancelled', undefined),
    })
    .map(({ queued, retries, end }) => {
      const steps: Step[] = Array.from({ length: queued }, () => ({ key, kind: 'task.queued', attempt: null }));
      for (let attempt = 1; attempt <= retries; attempt += 1) {
        steps.push({ key, kind: 'task.started', attempt }, { key, kind: 'task.retrying', attempt });
      }
      if (end === 'task.cancelled') return [...steps, { key, kind: end, attempt: null }];
      steps.push({ key, kind: 'task.started', attempt: retries + 1 });
      return end === undefined ? steps : [...steps, { key, kind: end, attempt: retries + 1 }];
    });
const forward = fc.tuple(way('a'), way('b'), fc.array(fc.boolean())).map(([a, b, order]) => {
  const [left, right] = [[...a], [...b]];
  const mixed = order.flatMap((first) => (first ? left : right).splice(0, 1));
  return [...mixed, ...left, ...right];
});
/** Steps in no order: what can't be, but must do no harm. */
const chaos: fc.Arbitrary<Step[]> = fc.array(
  fc
    .record({
      key: fc.constantFrom('a', 'b'),
      kind: fc.constantFrom(...typedKeys(DATA)),
      attempt: fc.integer({ min: 1, max: 3 }),
    })
    .map((step) => (step.kind === 'task.queued' || step.kind === 'task.cancelled' ? { ...step, attempt: null } : step)),
  { minLength: 1, maxLength: 14 },
);

function typedKeys(data: typeof DATA): (keyof typeof DATA)[] {
  return Object.keys(data).filter((key): key is keyof typeof DATA => key in DATA);
}

/** Rows of a run whose history was written in the batches that `cuts` makes. */
async function tasksAfter(steps: readonly Step[], cuts: (index: number) => boolean) {
  const runId = await newRun();
  const batch: HistoryEntry[] = [];
  for (const [index, { key, kind, attempt }] of steps.entries()) {
    batch.push(entry(runId, kind, DATA[kind], { taskKey: key, attempt, at: 1_700_000_000_000 + index }));
    if (cuts(index)) await historian.write(batch.splice(0));
  }
  await historian.write(batch);
  return (await getRun(test_.db, runId))?.tasks ?? [];
}

test('property: however a history is cut into batches, the rows come out the same', async () => {
  await fc.assert(
    fc.asyncProperty(forward, fc.infiniteStream(fc.boolean()), async (steps, dice) => {
      const single = await tasksAfter(steps, () => true);
      expect(await tasksAfter(steps, () => false)).toEqual(single);
      expect(await tasksAfter(steps, () => dice.next().value)).toEqual(single);
    }),
    { numRuns: 40 },
  );
});

test('property: steps in no order come to the same states and results however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(chaos, fc.infiniteStream(fc.boolean()), async (steps, dice) => {
      // A step that says again what was said may still tell the worker and the times.
      const states = (tasks: Awaited<ReturnType<typeof tasksAfter>>) =>
        tasks.map((task) => ({ ...task, workerId: null, queuedAt: null, startedAt: null, executionTime: null }));
      const single = states(await tasksAfter(steps, () => true));
      expect(states(await tasksAfter(steps, () => false))).toEqual(single);
      expect(states(await tasksAfter(steps, () => dice.next().value))).toEqual(single);
    }),
    { numRuns: 40 },
  );
});
