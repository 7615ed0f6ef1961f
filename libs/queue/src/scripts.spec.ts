import { randomUUID } from 'node:crypto';
import { clearQueue, readyQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { readHead, readProgress, readResults } from './run-hash';
import {
  begin,
  createRun,
  finaliseRun,
  markQueued,
  parkJob,
  pauseRun,
  record,
  recordAndBegin,
  recordRetry,
  resumeRun,
  settle,
  stopRun,
  type RunRef,
} from './index';
import { readStream } from './stream';

let queue: QueueConnection;

beforeEach(async () => {
  queue = await readyQueue();
});
afterEach(() => clearQueue(queue));

const other = (run: RunRef, epoch: number): RunRef => ({ ...run, epoch });

async function create(
  options: { left?: number; onFailure?: string; fields?: Record<string, string | number> } = {},
): Promise<RunRef> {
  const run = { runId: randomUUID(), epoch: 1 };
  const reply = await createRun(queue, run, {
    sha: 'sha',
    version: 1,
    inputsJson: '{"x":1}',
    left: options.left ?? 3,
    onFailure: options.onFailure ?? 'cancel',
    priority: 0,
    event: { type: 'run.created', json: '{"workflow":"w"}' },
    fields: options.fields ?? {},
  });
  expect(reply).toBe('created');
  return run;
}

const beginning = (taskKey: string, more: Partial<Parameters<typeof begin>[2]> = {}) => ({
  taskKey,
  workerId: 'w1',
  nonce: '1',
  startedJson: '{"workerId":"w1"}',
  wantInputs: false,
  version: 1,
  goesOn: true,
  results: [],
  ...more,
});
const ending = (taskKey: string, attempt: number, more: Partial<Parameters<typeof record>[2]> = {}) => ({
  taskKey,
  attempt,
  status: 'completed' as const,
  output: '1',
  error: '',
  eventJson: '{"output":1}',
  gates: [],
  ...more,
});
const failing = (taskKey: string, attempt: number) =>
  ending(taskKey, attempt, { status: 'failed', output: '', error: `{"code":"${taskKey}"}`, eventJson: '{"error":{}}' });

/** Types of the events in the stream, with task and attempt. */
async function events(): Promise<string[]> {
  const entries = await readStream(queue.redis, queue, { afterId: '0-0', count: 1_000, blockMs: 1 });
  return entries.map(({ type, taskKey, attempt }) =>
    [type, taskKey, attempt].filter((part) => part !== null).join(' '),
  );
}

describe('create', () => {
  test('makes the run once', async () => {
    const run = await create();
    const again = await createRun(queue, run, {
      sha: 'b',
      version: 2,
      inputsJson: '{}',
      left: 9,
      onFailure: 'continue',
      priority: 5,
    });
    expect(again).toBe('exists');
    expect(await readHead(queue, run.runId)).toMatchObject({ state: 'running', epoch: 1, sha: 'sha', left: 3 });
    expect(await events()).toEqual(['run.created', 'run.started']);
  });

  test('tells what is queued at once', async () => {
    const run = { runId: randomUUID(), epoch: 1 };
    const options = { sha: 'sha', version: 1, inputsJson: '{}', left: 2, onFailure: 'cancel', priority: 0 };
    const queued = [
      { key: 'a', json: '{"class":"x"}' },
      { key: 'b', json: '{"class":"x"}' },
    ];
    expect(await createRun(queue, run, { ...options, queued, fields: { 'a:b': 4 } })).toBe('created');
    expect(await createRun(queue, run, { ...options, queued })).toBe('exists');
    await markQueued(queue, run, queued);
    expect(await events()).toEqual(['run.started', 'task.queued a', 'task.queued b']);
    expect(await readProgress(queue, run.runId, ['b'])).toMatchObject([{ attempt: 4 }]);
  });

  test('takes over what is known from before', async () => {
    const run = await create({ fields: { 'r:a': 'completed', 'o:a': '7', 'a:a': 2 } });
    expect(await begin(queue, run, beginning('a'))).toEqual({ reply: 'recorded' });
    expect(await readResults(queue, run.runId, ['a'])).toEqual([{ status: 'completed', output: '7', error: '' }]);
  });
});

describe('begin', () => {
  test('refuses those who go by plans of another version, but for what has begun', async () => {
    const run = await create();
    expect(await begin(queue, run, beginning('a', { version: 2 }))).toEqual({ reply: 'version', version: 1 });
    expect(await begin(queue, run, beginning('a'))).toMatchObject({ reply: 'ok', attempt: 1 });
    await queue.redis.hset(queue.keys.run(run.runId), 'v', '-2');
    expect(await begin(queue, run, beginning('a'))).toMatchObject({ reply: 'ok', attempt: 1 });
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'version', version: -2 });
    expect(await record(queue, run, ending('a', 1))).toMatchObject({ reply: 'ok' });
    // Whose gates it counts towards only its own version knows.
    expect(await begin(queue, run, beginning('a', { nonce: '2' }))).toEqual({ reply: 'version', version: -2 });
    expect(await events()).toEqual(['run.created', 'run.started', 'task.started a 1', 'task.completed a 1']);
    await stopRun(queue, run.runId, { reason: 'enough' });
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'cancelling' });
  });

  test('issues tokens that rise, and gives inputs and results asked for', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await record(queue, run, ending('a', 1));
    expect(await begin(queue, run, beginning('b', { wantInputs: true, results: ['a', 'c'] }))).toEqual({
      reply: 'ok',
      attempt: 1,
      lost: 0,
      inputs: '{"x":1}',
      results: [
        { status: 'completed', output: '1', error: '' },
        { status: '', output: '', error: '' },
      ],
    });
  });

  test('called again with the same nonce it is the same attempt', async () => {
    const run = await create();
    const first = await begin(queue, run, beginning('a'));
    expect(await begin(queue, run, beginning('a'))).toEqual(first);
    expect(await events()).toEqual(['run.created', 'run.started', 'task.started a 1']);
  });

  test('a pause holds up what begins, and the next step of a scheduler, but no attempt whose worker comes back', async () => {
    const run = await create();
    const first = await begin(queue, run, beginning('a'));
    await pauseRun(queue, run.runId);
    expect(await begin(queue, run, beginning('a'))).toEqual(first);
    expect(await begin(queue, run, beginning('a', { goesOn: false }))).toEqual({ reply: 'paused' });
    expect(await begin(queue, run, beginning('a', { nonce: '2' }))).toEqual({ reply: 'paused' });
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'paused' });
    await stopRun(queue, run.runId, { reason: 'enough' });
    expect(await begin(queue, run, beginning('a'))).toEqual({ reply: 'cancelling' });
  });

  test('a mark that is still there tells of a lost worker; the third time the task is given up', async () => {
    const run = await create();
    for (const nonce of ['1', '2', '3'])
      expect(await begin(queue, run, beginning('a', { nonce }))).toMatchObject({
        reply: 'ok',
        attempt: Number(nonce),
        lost: Number(nonce) - 1,
      });
    const lost = { reply: 'lost', attempt: 3, lost: 3, worker: 'w1' };
    expect(await begin(queue, run, beginning('a', { nonce: '4', workerId: 'w2' }))).toEqual(lost);
    expect(await events()).toEqual([
      'run.created',
      'run.started',
      'task.started a 1',
      'task.retrying a 1',
      'task.started a 2',
      'task.retrying a 2',
      'task.started a 3',
    ]);
    expect(await record(queue, run, failing('a', 3))).toMatchObject({
      reply: 'ok',
      status: 'failed',
      state: 'failing',
    });
  });

  test('refuses: Redis not initialised, no run, older epoch, recorded, stopping, paused, final', async () => {
    const run = await create({ left: 1 });
    expect(await begin(queue, { runId: randomUUID(), epoch: 1 }, beginning('a'))).toEqual({ reply: 'gone' });
    expect(await begin(queue, other(run, 2), beginning('a'))).toEqual({ reply: 'stale' });
    expect(await pauseRun(queue, run.runId)).toBe(true);
    expect(await begin(queue, run, beginning('a'))).toEqual({ reply: 'paused' });
    await resumeRun(queue, run.runId);
    await begin(queue, run, beginning('a'));
    await record(queue, run, ending('a', 1));
    expect(await begin(queue, run, beginning('a', { nonce: '2' }))).toEqual({ reply: 'recorded' });
    await stopRun(queue, run.runId, { reason: 'r' });
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'cancelling' });
    await finaliseRun(queue, run, { state: 'cancelling', type: 'run.cancelled', eventJson: '{}' });
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'final' });
    await queue.redis.del(queue.keys.epoch);
    expect(await begin(queue, run, beginning('b'))).toEqual({ reply: 'uninitialised' });
    expect(await record(queue, run, ending('b', 0))).toEqual({ reply: 'uninitialised' });
    expect(await recordRetry(queue, run, { taskKey: 'b', attempt: 1, delayMs: 1, eventJson: '{}' })).toBe(
      'uninitialised',
    );
  });
});

describe('record', () => {
  test('stores once, counts gates down, and returns what is open also when called again', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await begin(queue, run, beginning('b'));
    const gates = [
      { gate: 0, needs: 1 },
      { gate: 1, needs: 2 },
    ];
    const first = { reply: 'ok', status: 'completed', left: 2, state: 'running', others: 0, open: [0] };
    expect(await record(queue, run, ending('a', 1, { gates }))).toEqual(first);
    expect(await record(queue, run, ending('a', 1, { gates }))).toEqual({ ...first, reply: 'repeat' });
    const [, second = { gate: 1, needs: 2 }] = gates;
    expect(await record(queue, run, ending('b', 1, { gates: [second] }))).toMatchObject({
      reply: 'ok',
      left: 1,
      open: [1],
    });
    expect(await record(queue, run, ending('a', 1, { gates }))).toMatchObject({
      reply: 'repeat',
      left: 1,
      open: [0, 1],
    });
    expect((await events()).filter((event) => event.startsWith('task.completed'))).toEqual([
      'task.completed a 1',
      'task.completed b 1',
    ]);
  });

  test('tells once what waits behind a gate, while all have completed', async () => {
    const run = await create({ left: 4 });
    const gates = [
      { gate: 0, needs: 1, queued: [{ key: 'b', json: '{"class":"x"}' }] },
      { gate: 1, needs: 2, queued: [{ key: 'c', json: '{"class":"x"}' }] },
    ];
    await begin(queue, run, beginning('a'));
    expect(await record(queue, run, ending('a', 1, { gates }))).toMatchObject({ reply: 'ok', open: [0] });
    expect(await record(queue, run, ending('a', 1, { gates }))).toMatchObject({ reply: 'repeat', open: [0] });
    await begin(queue, run, beginning('d'));
    expect(await record(queue, run, { ...failing('d', 1), gates: gates.slice(1) })).toMatchObject({ open: [1] });
    expect((await events()).filter((event) => event.startsWith('task.queued'))).toEqual(['task.queued b']);
  });

  test('ends the run with its last task, if all have completed and it is known what with', async () => {
    const run = await create({ left: 2 });
    const endJson = '{"outputs":{}}';
    await begin(queue, run, beginning('a'));
    expect(await record(queue, run, ending('a', 1, { endJson }))).toMatchObject({ left: 1, state: 'running' });
    await begin(queue, run, beginning('b'));
    expect(await record(queue, run, ending('b', 1, { endJson }))).toMatchObject({ left: 0, state: 'final' });
    expect(await record(queue, run, ending('b', 1, { endJson }))).toMatchObject({ reply: 'repeat', state: 'final' });
    expect((await events()).filter((event) => event.startsWith('run.'))).toEqual([
      'run.created',
      'run.started',
      'run.completed',
    ]);
    const bad = await create({ left: 2, onFailure: 'continue' });
    await begin(queue, bad, beginning('a'));
    await record(queue, bad, failing('a', 1));
    await begin(queue, bad, beginning('b'));
    expect(await record(queue, bad, ending('b', 1, { endJson }))).toMatchObject({ left: 0, state: 'running' });
  });

  test('begins the next task of a chain in the same step, and both once', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    const next = beginning('b', { results: ['a'] });
    const first = await recordAndBegin(queue, run, ending('a', 1), next);
    expect(first).toMatchObject({
      recorded: { reply: 'ok', left: 2 },
      begun: { reply: 'ok', attempt: 1, results: [{ status: 'completed', output: '1' }] },
    });
    const again = await recordAndBegin(queue, run, ending('a', 1), next);
    expect(again).toEqual({ ...first, recorded: { ...first.recorded, reply: 'repeat' } });
    expect(await events()).toEqual([
      'run.created',
      'run.started',
      'task.started a 1',
      'task.completed a 1',
      'task.started b 1',
    ]);
  });

  test('begins no next task after a failure, a late answer, or in a run that is paused or being stopped', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    const next = beginning('b');
    expect(await recordAndBegin(queue, run, ending('a', 7), next)).toEqual({ recorded: { reply: 'fenced' } });
    await pauseRun(queue, run.runId);
    expect(await recordAndBegin(queue, run, ending('a', 1), next)).toMatchObject({ recorded: { state: 'paused' } });
    await resumeRun(queue, run.runId);
    await begin(queue, run, beginning('b'));
    await stopRun(queue, run.runId, { reason: 'r' });
    await recordAndBegin(queue, run, ending('b', 1), beginning('c'));
    expect(await readProgress(queue, run.runId, ['b', 'c'])).toMatchObject([{ attempt: 1 }, { attempt: 0 }]);
    const other = await create();
    await begin(queue, other, beginning('a'));
    expect(await recordAndBegin(queue, other, failing('a', 1), next)).not.toHaveProperty('begun');
  });

  test('a task may end without being begun while no attempt is live: one that is tried again only for whoever does not mind', async () => {
    const run = await create();
    const skipped = (attempt: number | 'idle') =>
      ending('a', 0, { attempt, status: 'skipped', output: '', error: 'condition', eventJson: '{}' });
    await begin(queue, run, beginning('a'));
    expect(await record(queue, run, skipped('idle'))).toEqual({ reply: 'fenced' });
    await recordRetry(queue, run, { taskKey: 'a', attempt: 1, delayMs: 0, eventJson: '{}' });
    expect(await record(queue, run, skipped(0))).toEqual({ reply: 'fenced' });
    expect(await record(queue, run, skipped('idle'))).toMatchObject({ reply: 'ok', status: 'skipped' });
    expect(await record(queue, run, skipped('idle'))).toMatchObject({ reply: 'repeat' });
    expect((await events()).at(-1)).toBe('task.skipped a 1');
  });

  test('refuses a late attempt, an older epoch, another end, a run that is gone', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await begin(queue, run, beginning('a', { nonce: '2', workerId: 'w2' }));
    expect(await record(queue, run, ending('a', 1))).toEqual({ reply: 'fenced' });
    expect(await record(queue, other(run, 0), ending('a', 2))).toEqual({ reply: 'stale' });
    expect(await record(queue, run, ending('a', 2))).toMatchObject({ reply: 'ok' });
    expect(await record(queue, run, failing('a', 2))).toEqual({ reply: 'fenced' });
    expect(await record(queue, { runId: randomUUID(), epoch: 1 }, ending('a', 1))).toEqual({ reply: 'gone' });
    expect(await readHead(queue, run.runId)).toMatchObject({ state: 'running', left: 2, failed: 0 });
  });

  test('a run that is being stopped takes no success', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await stopRun(queue, run.runId, { reason: 'r' });
    expect(await record(queue, run, ending('a', 1))).toMatchObject({ reply: 'ok', status: 'cancelled', others: 1 });
    expect(await record(queue, run, ending('a', 1))).toMatchObject({ reply: 'repeat', status: 'cancelled' });
    expect(await readResults(queue, run.runId, ['a'])).toEqual([
      { status: 'cancelled', output: '', error: 'cancelled' },
    ]);
    expect((await events()).at(-1)).toBe('task.cancelled a 1');
  });

  test('the first failure moves the run to failing and keeps its error', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await begin(queue, run, beginning('b'));
    expect(await record(queue, run, failing('a', 1))).toMatchObject({ status: 'failed', state: 'failing' });
    expect(await record(queue, run, failing('b', 1))).toMatchObject({ status: 'failed', state: 'failing', others: 2 });
    expect(await readHead(queue, run.runId)).toMatchObject({
      state: 'failing',
      failedTask: 'a',
      errorJson: '{"code":"a"}',
      failed: 2,
    });
    // A cancel that comes later does not change what the run ends as.
    expect(await stopRun(queue, run.runId, { reason: 'r' })).toBe('ok');
    expect(await readHead(queue, run.runId)).toMatchObject({ state: 'failing' });
  });

  test('a run that goes on after failures stays running', async () => {
    const run = await create({ onFailure: 'continue' });
    await begin(queue, run, beginning('a'));
    expect(await record(queue, run, failing('a', 1))).toMatchObject({ status: 'failed', state: 'running', others: 1 });
  });
});

describe('retry', () => {
  test('ends the attempt; the next may not begin before its time', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    const options = { taskKey: 'a', attempt: 1, delayMs: 60_000, eventJson: '{"delay":60000}' };
    expect(await recordRetry(queue, run, options)).toBe('ok');
    expect(await recordRetry(queue, run, options)).toBe('repeat');
    const early = await begin(queue, run, beginning('a', { nonce: '2' }));
    expect(early).toMatchObject({ reply: 'early' });
    expect(early.reply === 'early' && early.delay > 59_000 && early.delay <= 60_000).toBe(true);
    expect((await events()).filter((event) => event.startsWith('task.'))).toEqual([
      'task.started a 1',
      'task.retrying a 1',
    ]);
  });

  test('does not count as a loss', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await recordRetry(queue, run, { taskKey: 'a', attempt: 1, delayMs: 0, eventJson: '{}' });
    expect(await begin(queue, run, beginning('a', { nonce: '2' }))).toMatchObject({ reply: 'ok', attempt: 2, lost: 0 });
  });

  test('refuses a late attempt, an older epoch, a run that is stopped or gone', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    const options = { taskKey: 'a', attempt: 1, delayMs: 1, eventJson: '{}' };
    expect(await recordRetry(queue, run, { ...options, attempt: 2 })).toBe('fenced');
    expect(await recordRetry(queue, other(run, 2), options)).toBe('stale');
    expect(await recordRetry(queue, { runId: randomUUID(), epoch: 1 }, options)).toBe('gone');
    await stopRun(queue, run.runId, { reason: 'r' });
    expect(await recordRetry(queue, run, options)).toBe('stopping');
  });
});

describe('settle', () => {
  test('cancels what nobody has, names who has the rest, and may be repeated', async () => {
    const run = await create();
    await begin(queue, run, beginning('a', { workerId: 'w7' }));
    expect(await settle(queue, run, 'cancelled', ['a', 'b', 'c'])).toBeUndefined();
    await stopRun(queue, run.runId, { reason: 'r' });
    const settled = { left: 1, live: [{ taskKey: 'a', workerId: 'w7' }] };
    expect(await settle(queue, run, 'cancelled', ['a', 'b', 'c'])).toEqual(settled);
    expect(await settle(queue, run, 'cancelled', ['a', 'b', 'c'])).toEqual(settled);
    expect(await settle(queue, other(run, 2), 'cancelled', ['a'])).toBeUndefined();
    expect((await events()).filter((event) => event.startsWith('task.cancelled'))).toEqual([
      'task.cancelled b',
      'task.cancelled c',
    ]);
  });
});

describe('queued', () => {
  const tell = (run: RunRef, keys: string[]) =>
    markQueued(
      queue,
      run,
      keys.map((key) => ({ key, json: '{}' })),
    );

  test('is written once for each task, and not for one that has ended', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    await record(queue, run, ending('a', 1));
    await tell(run, ['a', 'b']);
    await tell(run, ['b', 'c']);
    await tell(other(run, 2), ['d']);
    expect((await events()).filter((event) => event.startsWith('task.queued'))).toEqual([
      'task.queued b',
      'task.queued c',
    ]);
  });

  test('is not written once the run is being stopped', async () => {
    const run = await create();
    await stopRun(queue, run.runId, { reason: 'r' });
    await tell(run, ['a', 'b', 'c']);
    expect(await events()).toEqual(['run.created', 'run.started']);
  });
});

describe('finalise', () => {
  test('ends a run once, when all its tasks have ended and the state is the one expected', async () => {
    const run = await create({ left: 1 });
    const end = { state: 'running', type: 'run.completed', eventJson: '{"outputs":{}}' };
    expect(await finaliseRun(queue, run, end)).toBe('open');
    await begin(queue, run, beginning('a'));
    await record(queue, run, ending('a', 1));
    expect(await finaliseRun(queue, run, { ...end, state: 'failing' })).toBe('changed');
    expect(await finaliseRun(queue, other(run, 2), end)).toBe('gone');
    expect(await finaliseRun(queue, run, end)).toBe('ok');
    expect(await finaliseRun(queue, run, end)).toBe('final');
    expect(await stopRun(queue, run.runId, { reason: 'r' })).toBe('final');
    expect((await events()).filter((event) => event === 'run.completed')).toHaveLength(1);
  });
});

describe('stop', () => {
  test('of a run that is not there, with an error, and of a paused one', async () => {
    expect(await stopRun(queue, randomUUID(), { reason: 'r' })).toBe('gone');
    const failed = await create();
    expect(await stopRun(queue, failed.runId, { reason: 'run_timeout', errorJson: '{"code":"run_timeout"}' })).toBe(
      'ok',
    );
    expect(await readHead(queue, failed.runId)).toMatchObject({
      state: 'failing',
      errorJson: '{"code":"run_timeout"}',
    });
    const paused = await create();
    await pauseRun(queue, paused.runId);
    expect(await stopRun(queue, paused.runId, { reason: 'r' })).toBe('ok');
    expect(await readHead(queue, paused.runId)).toMatchObject({ state: 'cancelling', cancelReason: 'r' });
  });
});

describe('pause and resume', () => {
  test('a paused run takes results and begins nothing; resume hands over what was parked', async () => {
    const run = await create();
    await begin(queue, run, beginning('a'));
    expect(await parkJob(queue, run, { taskKey: 'b', className: 'handler.x' })).toBe(false);
    expect(await pauseRun(queue, run.runId)).toBe(true);
    expect(await pauseRun(queue, run.runId)).toBe(false);
    expect(await record(queue, run, ending('a', 1))).toMatchObject({
      reply: 'ok',
      status: 'completed',
      state: 'paused',
    });
    const job = { taskKey: 'b', className: 'handler.x' };
    expect(await parkJob(queue, run, job)).toBe(true);
    expect(await parkJob(queue, run, job)).toBe(true);
    expect(await resumeRun(queue, run.runId)).toEqual({ epoch: 1, parked: [job] });
    // Whoever resumed it may have died before the jobs were put back.
    expect(await resumeRun(queue, run.runId)).toEqual({ epoch: 1, parked: [job] });
    expect((await events()).filter((type) => type === 'run.resumed')).toHaveLength(1);
    await pauseRun(queue, run.runId);
    expect(await resumeRun(queue, run.runId)).toEqual({ epoch: 1, parked: [] });
    await stopRun(queue, run.runId, { reason: 'enough' });
    expect(await resumeRun(queue, run.runId)).toBeUndefined();
    expect((await readProgress(queue, run.runId, ['a']))[0]).toMatchObject({ ended: true, attempt: 1, live: '' });
  });
});
