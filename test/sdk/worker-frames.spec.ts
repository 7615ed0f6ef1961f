import { createWorkflow, handler, worker, type Worker } from '@lattice/sdk';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually';
import { servedPlatform, type Json, type Served } from '../support/rest';

const MIB = 1_048_576;

let served: Served;
const workers: Worker[] = [];

beforeAll(async () => {
  served = await servedPlatform();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((one) => one.stop(0)));
});
afterAll(() => served.close());

async function start(handlers: Parameters<typeof worker>[0]['handlers']): Promise<{ notices: string[] }> {
  const notices: string[] = [];
  const { url, key } = served.rest;
  const one = worker({ url, apiKey: key, handlers, onNotice: (text) => notices.push(text) });
  workers.push(one);
  await one.connected();
  return { notices };
}

it('a result above the limit of a frame fails its task, and long logs come in pieces; the connection stands', async () => {
  const large = handler({ name: 'large' }, (_, ctx) => {
    ctx.log('x'.repeat(17 * MIB));
    return 'y'.repeat(17 * MIB);
  });
  const thrown = handler({ name: 'thrown' }, () => {
    throw Object.assign(new Error('m'.repeat(17 * MIB)), { code: 'c'.repeat(17 * MIB) });
  });
  const { notices } = await start([large, thrown, handler({ name: 'small' }, () => 'done')]);
  const flow = createWorkflow('frames', { onFailure: 'continue' });
  const failing = [flow.add(large), flow.add(thrown)];
  flow.add(handler({ name: 'small' }), undefined, { needs: failing, trigger: 'all-done' });
  const run = await flow.run(served.client);
  await expect(run.result({ timeout: '60s' })).rejects.toMatchObject({ name: 'RunError' });
  const tasks = (await run.status()).tasks.map(({ key, status, attempts, error }) => [
    key,
    status,
    attempts,
    error?.code,
  ]);
  expect(tasks).toEqual([
    ['large', 'failed', 1, 'output_too_large'],
    ['thrown', 'failed', 1, 'task_failed'],
    ['small', 'completed', 1, undefined],
  ]);
  expect(notices).toHaveLength(1);
});

it('a percentage that is no number is a sign of life only', async () => {
  const { notices } = await start({
    unsure: (_, ctx) => {
      ctx.progress(Number.NaN, 'of nothing');
      ctx.progress(Infinity, 'all');
      return 'done';
    },
  });
  const workflow = { name: 'unsure', tasks: { a: { uses: 'handler/unsure' } } };
  const { runId } = await served.client.submit({ workflow });
  expect(await served.client.wait(runId)).toMatchObject({ status: 'completed' });
  const told: unknown[] = [];
  for await (const { type, data } of served.client.events(runId)) if (type === 'task.progress') told.push(data);
  expect(told).toEqual([{ percent: 100, text: 'all' }]);
  expect(notices).toHaveLength(1);
});

it('a faulty word on an attempt fails that attempt, and the worker goes on', async () => {
  const { url, key } = served.rest;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/worker`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const frames: Json[] = [];
  const closes: number[] = [];
  socket.on('close', (code) => closes.push(code));
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())));
  await new Promise((resolve) => socket.on('open', resolve));
  const say = (frame: Json): void => socket.send(JSON.stringify(frame));
  const heard = (op: string): Promise<Json> => eventually(op, () => frames.find((frame) => frame['op'] === op));
  try {
    const machine = { workerId: 'by-hand', host: 'h', pid: 1, node: '20', labels: {}, slots: 1 };
    say({ op: 'hello', ...machine, handlers: ['by-hand'], resources: { cpu: 1, memory: MIB, gpu: 0 }, attempts: [] });
    const workflow = { name: 'by-hand', tasks: { a: { uses: 'handler/by-hand' } } };
    const { runId } = await served.client.submit({ workflow });
    const { id } = await heard('execute');
    say({ op: 'progress', id, percent: null });
    expect(await heard('error')).toMatchObject({ code: 'bad_request', detail: expect.stringContaining('/percent') });
    expect(await heard('settled')).toMatchObject({ id });
    const run = await served.client.wait(runId);
    expect(run.tasks).toMatchObject([{ status: 'failed', attempts: 1, error: { code: 'task_failed' } }]);
    say({ op: 'ping' });
    await heard('pong');
    expect(closes).toEqual([]);
    say({ op: 'nonsense' });
    await eventually('it is refused', () => closes.length > 0);
    expect(closes).toEqual([4400]);
  } finally {
    socket.terminate();
  }
});
