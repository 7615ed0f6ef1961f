import { taskOf } from './support/api';
import { javascript, newGate, waitingTask, type Gate } from './support/documents';
import { startPlatform, type Platform } from './support/platform';
import { openEvents, openSocket, type Frame } from './support/streams';

let platform: Platform;
let gate: Gate;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => platform?.stop());
beforeEach(() => {
  gate = newGate();
});
afterEach(() => gate.remove());

/** first -> slow (which waits at the gate) -> last. */
function submitSlow(): Promise<string> {
  return platform.api.submit({
    name: 'slow',
    tasks: {
      first: javascript('export default () => 1'),
      slow: { ...waitingTask(gate), needs: ['first'] },
      last: javascript('export default (value) => value', '${{ tasks.slow.output }}'),
    },
  });
}

const ofTask =
  (type: string, key: string) =>
  (frame: Frame): boolean =>
    frame.type === type && frame.taskKey === key;
const isFinal = ({ type }: Frame): boolean => type === 'run.completed';
const idsOf = (frames: readonly Frame[]): string[] => frames.map(({ id }) => id);

function expectWhole(frames: readonly Frame[], runId: string): void {
  expect(frames.map(({ type, taskKey }) => (taskKey === null ? type : `${type} ${taskKey}`))).toEqual([
    'run.created',
    'run.started',
    'task.queued first',
    'task.started first',
    'task.completed first',
    // Of one chain the tasks after the first are not queued: the worker that has it goes on with them.
    'task.started slow',
    'task.log slow',
    'task.completed slow',
    'task.started last',
    'task.completed last',
    'run.completed',
  ]);
  expect(frames.every((frame) => frame.runId === runId)).toBe(true);
  const ids = idsOf(frames).map(BigInt);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)));
}

describe('live events (K2, LT-T3)', () => {
  it('come over SSE while the slow task runs, and the stream ends after the final one', async () => {
    const runId = await submitSlow();
    const stream = await openEvents(platform.api, runId);
    const began = await stream.until('the start of slow', ofTask('task.started', 'slow'));
    const log = await stream.until('the log of slow', ofTask('task.log', 'slow'));
    expect(began).toMatchObject({ attempt: 1, data: { workerId: expect.any(String) as string, level: 'subprocess' } });
    expect(log.data).toEqual({ stream: 'stdout', text: 'waiting at the gate\n' });
    const run = await platform.api.run(runId);
    expect([run.status, taskOf(run, 'slow').status, taskOf(run, 'last').status]).toEqual([
      'running',
      'running',
      'pending',
    ]);
    expect(stream.frames.some(isFinal)).toBe(false);
    gate.open();
    await stream.ended;
    expectWhole(stream.frames, runId);
    expect(stream.frames.at(-1)?.data).toEqual({ outputs: {} });
  });

  it('come over the WebSocket while the slow task runs, with the key in the first frame', async () => {
    const runId = await submitSlow();
    const socket = await openSocket(platform.api);
    socket.send({ op: 'auth', key: platform.api.key });
    socket.send({ op: 'subscribe', runId });
    await socket.until('the log of slow', ofTask('task.log', 'slow'));
    expect(taskOf(await platform.api.run(runId), 'slow').status).toBe('running');
    expect(socket.frames.some(isFinal)).toBe(false);
    gate.open();
    await socket.until('the end', isFinal);
    expectWhole(socket.frames, runId);
    expect(socket.others).toEqual([]);
    socket.close();
  });

  it('of several runs come over one socket, with the key in the header, and none of other runs', async () => {
    const [one, other, third] = [await submitSlow(), await submitSlow(), await submitSlow()];
    const socket = await openSocket(platform.api, { header: true });
    for (const runId of [one, other]) socket.send({ op: 'subscribe', runId });
    gate.open();
    for (const runId of [one, other]) await socket.until('an end', (frame) => isFinal(frame) && frame.runId === runId);
    for (const runId of [one, other])
      expectWhole(
        socket.frames.filter((frame) => frame.runId === runId),
        runId,
      );
    expect((await platform.api.wait(third)).status).toBe('completed');
    expect(socket.frames.some(({ runId }) => runId === third)).toBe(false);
    socket.close();
  });

  it('go on after any id without gap or repeat, over SSE and the WebSocket', async () => {
    const runId = await submitSlow();
    gate.open();
    await platform.api.wait(runId);
    const whole = await openEvents(platform.api, runId);
    await whole.ended;
    const ids = idsOf(whole.frames);
    const socket = await openSocket(platform.api, { header: true });
    for (const [index, after] of ids.entries()) {
      const rest = whole.frames.slice(index + 1);
      const resumed = await openEvents(platform.api, runId, { lastEventId: after });
      const asked = await openEvents(platform.api, runId, { after });
      await Promise.all([resumed.ended, asked.ended]);
      expect(resumed.frames).toEqual(rest);
      expect(asked.frames).toEqual(rest);
      // After the final event there is nothing to come back for.
      expect(resumed.status).toBe(rest.length === 0 ? 204 : 200);
      if (rest.length === 0) continue;
      const seen = socket.frames.length;
      socket.send({ op: 'subscribe', runId, after });
      await socket.until('the end', (frame) => isFinal(frame) && socket.frames.lastIndexOf(frame) >= seen);
      expect(socket.frames.slice(seen)).toEqual(rest);
      socket.send({ op: 'unsubscribe', runId });
    }
    socket.close();
  });

  it('are whole for a reader who breaks off in the middle and comes back while the run goes on', async () => {
    const runId = await submitSlow();
    const before = await openEvents(platform.api, runId);
    await before.until('the start of slow', ofTask('task.started', 'slow'));
    before.close();
    const seen = before.frames.slice();
    const [stream, socket] = [
      await openEvents(platform.api, runId, { lastEventId: seen.at(-1)?.id ?? '' }),
      await openSocket(platform.api, { header: true }),
    ];
    socket.send({ op: 'subscribe', runId, after: seen.at(-1)?.id });
    gate.open();
    await stream.ended;
    await socket.until('the end', isFinal);
    expectWhole([...seen, ...stream.frames], runId);
    expectWhole([...seen, ...socket.frames], runId);
    socket.close();
  });

  it('reach fifty readers of one run alike', async () => {
    const runId = await submitSlow();
    const streams = await Promise.all(Array.from({ length: 50 }, () => openEvents(platform.api, runId)));
    gate.open();
    await Promise.all(streams.map(({ ended }) => ended));
    for (const { frames } of streams) expectWhole(frames, runId);
  });

  it('tell a cancel while it happens: the task stops, the stream ends with run.cancelled', async () => {
    const runId = await submitSlow();
    const stream = await openEvents(platform.api, runId);
    await stream.until('the log of slow', ofTask('task.log', 'slow'));
    const asked = performance.now();
    expect((await platform.api.call(`/v1/runs/${runId}/cancel`, { method: 'POST' })).status).toBe(202);
    await stream.ended;
    // C4 asks for 2 s; the grace of the task's process is one of them at most, and this machine may be busy.
    expect(performance.now() - asked).toBeLessThan(6_000);
    expect(stream.frames.at(-1)?.type).toBe('run.cancelled');
    const run = await platform.api.run(runId);
    expect([run.status, taskOf(run, 'slow').status, taskOf(run, 'last').status]).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
  });

  it('go on in the same run after a retry, and finished work is not done again', async () => {
    const fragile = `
      import { existsSync } from 'node:fs';
      export default ({ gate, value }) => {
        if (!existsSync(gate)) throw new Error('the gate is shut');
        return value + 1;
      };`;
    const runId = await platform.api.submit({
      name: 'fragile',
      tasks: {
        first: javascript('export default () => 41'),
        second: javascript(fragile, { gate: gate.path, value: '${{ tasks.first.output }}' }),
      },
      outputs: { answer: '${{ tasks.second.output }}' },
    });
    const before = await openEvents(platform.api, runId);
    await before.ended;
    expect(before.frames.at(-1)).toMatchObject({ type: 'run.failed', data: { error: { code: 'task_failed' } } });
    gate.open();
    expect((await platform.api.call(`/v1/runs/${runId}/retry`, { method: 'POST' })).status).toBe(202);
    const after = await openEvents(platform.api, runId, { after: before.frames.at(-1)?.id ?? '' });
    await after.ended;
    expect(after.frames.at(-1)).toMatchObject({ type: 'run.completed', data: { outputs: { answer: 42 } } });
    expect(after.frames.some(({ taskKey }) => taskKey === 'first')).toBe(false);
    expect(await platform.api.run(runId)).toMatchObject({ status: 'completed', outputs: { answer: 42 } });
    expect((await platform.api.call(`/v1/runs/${runId}/retry`, { method: 'POST' })).status).toBe(409);
  });

  it('tell of a pause and a resume: nothing new begins in between', async () => {
    const runId = await submitSlow();
    const stream = await openEvents(platform.api, runId);
    await stream.until('the log of slow', ofTask('task.log', 'slow'));
    expect((await platform.api.call(`/v1/runs/${runId}/pause`, { method: 'POST' })).status).toBe(202);
    await stream.until('the pause', ({ type }) => type === 'run.paused');
    gate.open();
    await stream.until('the end of slow', ofTask('task.completed', 'slow'));
    const paused = await platform.api.run(runId);
    expect([paused.status, taskOf(paused, 'last').attempts]).toEqual(['paused', 0]);
    expect((await platform.api.call(`/v1/runs/${runId}/resume`, { method: 'POST' })).status).toBe(202);
    await stream.ended;
    const order = stream.frames.map(({ type, taskKey }) => (taskKey === 'last' || taskKey === null ? type : ''));
    expect(order.indexOf('run.resumed')).toBeGreaterThan(order.indexOf('run.paused'));
    expect(order.indexOf('task.started')).toBeGreaterThan(order.indexOf('run.resumed'));
    expect(stream.frames.at(-1)?.type).toBe('run.completed');
  });

  it('the wait and the log of a task answer while it runs', async () => {
    const runId = await submitSlow();
    const stream = await openEvents(platform.api, runId);
    await stream.until('the log of slow', ofTask('task.log', 'slow'));
    expect((await platform.api.wait(runId, '50ms')).status).toBe('running');
    const log = await platform.api.call(`/v1/runs/${runId}/tasks/slow/logs`, { headers: { Accept: 'text/plain' } });
    expect(log.text).toBe('waiting at the gate\n');
    const waiting = platform.api.wait(runId);
    gate.open();
    expect(await waiting).toMatchObject({ status: 'completed' });
    await stream.ended;
  });
});
