import { randomUUID } from 'node:crypto';
import { clearQueue, readyQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { forgetEpoch } from './instance';
import { readHead } from './run-hash';
import { begin, createRun, deleteRun, record, stopAll, stoppedAtOnce, stopRun } from './index';
import type { RunRef } from './run-ref';
import { readStream } from './stream';

let queue: QueueConnection;

beforeEach(async () => {
  queue = await readyQueue();
});
afterEach(() => clearQueue(queue));

const taskKeys = ['a', 'b'];
const waits = new Set<string>();

async function create(epoch = 1, above = 'parent'): Promise<RunRef> {
  const run = { runId: randomUUID(), epoch };
  await createRun(queue, run, {
    sha: 'sha',
    version: 1,
    inputsJson: '{}',
    left: taskKeys.length,
    onFailure: 'cancel',
    priority: 0,
    fields: { pa: `${above}|each` },
  });
  return run;
}

const beginning = (taskKey: string) => ({
  taskKey,
  workerId: 'w1',
  nonce: '1',
  startedJson: '{"workerId":"w1"}',
  wantInputs: false,
  version: 1,
  goesOn: true,
  results: [],
});
const ending = (taskKey: string, status: 'completed' | 'failed') => ({
  taskKey,
  attempt: 1,
  status,
  output: '',
  error: status === 'failed' ? '{"code":"c","message":"m"}' : '',
  eventJson: '{}',
  gates: [],
});

/** Types of the events of a run, with its tasks. */
async function eventsOf({ runId }: RunRef): Promise<string[]> {
  const entries = await readStream(queue.redis, queue, { afterId: '0-0', count: 10_000, blockMs: 1 });
  return entries.filter((entry) => entry.runId === runId).map(({ type, taskKey }) => `${type} ${taskKey ?? ''}`.trim());
}

test('each run is ended where nothing of it is live, and its parent is named', async () => {
  const [fresh, half, busy] = [await create(), await create(), await create()];
  await begin(queue, half, beginning('a'));
  await record(queue, half, ending('a', 'completed'));
  await begin(queue, busy, beginning('a'));
  const told: string[] = [];
  const end = await queue.bus.subscribe('control', { onMessage: (text) => void told.push(text) });
  const options = { reason: 'say "enough"', taskKeys, waits };
  expect(await stopAll(queue, [fresh, half, busy], options)).toEqual(['final', 'final', 'live']);
  expect(await eventsOf(fresh)).toEqual(['run.started', 'task.cancelled a', 'task.cancelled b', 'run.cancelled']);
  expect((await eventsOf(half)).slice(2)).toEqual(['task.completed a', 'task.cancelled b', 'run.cancelled']);
  expect((await eventsOf(busy)).slice(2)).toEqual(['task.cancelled b']);
  const entries = await readStream(queue.redis, queue, { afterId: '0-0', count: 10_000, blockMs: 1 });
  const last = entries.find(({ type }) => type === 'run.cancelled');
  expect(last).toMatchObject({ parent: 'parent|each', data: '{"reason":"say \\"enough\\""}' });
  expect(await readHead(queue, busy.runId)).toMatchObject({ state: 'cancelling', left: 1, others: 1 });
  expect(await record(queue, busy, ending('a', 'completed'))).toMatchObject({ status: 'cancelled', left: 0 });
  expect(await begin(queue, fresh, beginning('a'))).toEqual({ reply: 'final' });
  await end();
  expect(told).toEqual([JSON.stringify({ stop: busy.runId })]);
});

test('nothing begins below a run that is being stopped, whatever is between them, but a repeated call is answered as before', async () => {
  const top = await create();
  const middle = await create(1, top.runId);
  const [fresh, busy] = [await create(1, middle.runId), await create(1, middle.runId)];
  const first = await begin(queue, busy, beginning('a'));
  expect(first).toMatchObject({ reply: 'ok', attempt: 1 });
  await stopRun(queue, top.runId, { reason: 'enough' });
  expect(await begin(queue, fresh, beginning('a'))).toEqual({ reply: 'early', delay: 1_000 });
  expect(await begin(queue, busy, beginning('b'))).toEqual({ reply: 'early', delay: 1_000 });
  expect(await begin(queue, busy, beginning('a'))).toEqual(first);
  expect(await eventsOf(fresh)).toEqual(['run.started']);
  expect(await stopAll(queue, [fresh, busy], { reason: 'enough', taskKeys, waits })).toEqual(['final', 'live']);
  expect(await begin(queue, fresh, beginning('a'))).toEqual({ reply: 'final' });
});

test('an attempt that only waits is ended with its run', async () => {
  const [waiting, busy] = [await create(), await create()];
  for (const run of [waiting, busy]) await begin(queue, run, beginning('b'));
  await begin(queue, busy, beginning('a'));
  const options = { reason: 'enough', taskKeys, waits: new Set(['b']) };
  expect(await stopAll(queue, [waiting, busy], options)).toEqual(['final', 'live']);
  expect((await eventsOf(waiting)).slice(2)).toEqual(['task.cancelled b', 'task.cancelled a', 'run.cancelled']);
  expect((await eventsOf(busy)).slice(3)).toEqual(['task.cancelled b']);
  expect(await record(queue, busy, ending('a', 'completed'))).toMatchObject({ status: 'cancelled', left: 0 });
});

test('asked again nothing changes, but what is live is told again', async () => {
  const [fresh, busy] = [await create(), await create()];
  await begin(queue, busy, beginning('b'));
  await stopAll(queue, [fresh, busy], { reason: 'first', taskKeys, waits });
  const before = [await eventsOf(fresh), await eventsOf(busy)];
  expect(await stopAll(queue, [fresh, busy], { reason: 'second', taskKeys, waits })).toEqual(['final', 'live']);
  expect([await eventsOf(fresh), await eventsOf(busy)]).toEqual(before);
  expect(await readHead(queue, busy.runId)).toMatchObject({ cancelReason: 'first' });
});

test('what is not there, of another time, or failing is left to others', async () => {
  const [gone, failing, stopped, again] = [await create(), await create(), await create(), await create()];
  await deleteRun(queue, gone);
  await begin(queue, failing, beginning('a'));
  await record(queue, failing, ending('a', 'failed'));
  await stopRun(queue, stopped.runId, { reason: 'before' });
  const given = [gone, failing, stopped, { ...again, epoch: 2 }];
  expect(await stopAll(queue, given, { reason: 'r', taskKeys, waits })).toEqual(['gone', 'failing', 'final', 'gone']);
  expect((await eventsOf(failing)).at(-1)).toBe('task.failed a');
  expect(await readHead(queue, again.runId)).toMatchObject({ state: 'running' });
});

test('a Redis that lost its data is left alone', async () => {
  const run = await create();
  await forgetEpoch(queue);
  await expect(stopAll(queue, [run], { reason: 'r', taskKeys, waits })).rejects.toThrow('not initialised');
  expect(await readHead(queue, run.runId)).toMatchObject({ state: 'running' });
});

test('a script takes few tasks at a time', () => {
  expect(stoppedAtOnce(501)).toBe(0);
  for (const tasks of [1, 20, 500]) expect(stoppedAtOnce(tasks) * tasks).toBeLessThanOrEqual(500);
});
