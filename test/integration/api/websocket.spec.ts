import { heartbeat, leave } from '@lattice/queue';
import { SocketClient, SocketClients } from './socket-client';
import { announcement } from '../../../libs/queue/test/announcement';
import { completed, log, testApi, type TestApi } from './support';

describe('WS /v1/ws', () => {
  let test: TestApi;
  const clients = new SocketClients();
  beforeAll(async () => {
    test = await testApi();
  });
  afterEach(() => clients.close());
  afterAll(() => test.close());

  const open = (headers?: Record<string, string>): SocketClient => clients.open(test.api.url, headers);
  const authorised = (): SocketClient => open({ authorization: `Bearer ${test.adminKey}` });

  it('replays, then follows, any number of runs, by a key in the header', async () => {
    const [a, b] = [await test.submit(), await test.submit()];
    const before = await test.history.write(a, [{ type: 'run.started' }, log('a')]);
    const client = await authorised().send({ op: 'subscribe', runId: a }, { op: 'subscribe', runId: b, after: '0' });
    await client.has(2);
    const after = [...(await test.history.write(b, [log('b')])), ...(await test.history.write(a, [completed]))];
    await test.history.write(b, [completed]);
    const frames = await client.has(5);
    expect(frames.filter((frame) => frame['runId'] === a)).toEqual(
      [...before, ...after].filter(({ runId }) => runId === a),
    );
    expect(frames.filter((frame) => frame['runId'] === b).map((frame) => frame['type'])).toEqual([
      'task.log',
      'run.completed',
    ]);
  });

  it('takes the key in the first frame, with what follows it in the same breath', async () => {
    const runId = await test.submit();
    const [first, second] = await test.history.write(runId, [log('a'), log('b')]);
    const client = await open().send(
      { op: 'auth', key: test.adminKey },
      { op: 'subscribe', runId, after: Number(first?.id) },
    );
    expect(await client.has(1)).toEqual([second]);
  });

  it('stops a subscription when asked, and takes it up again after an id', async () => {
    const runId = await test.submit();
    const [first] = await test.history.write(runId, [log('a')]);
    const client = await authorised().send({ op: 'subscribe', runId });
    await client.has(1);
    await client.send({ op: 'unsubscribe', runId }, { op: 'ping' });
    await client.has(2);
    const [second] = await test.history.write(runId, [log('b')]);
    await client.send({ op: 'subscribe', runId, after: first?.id ?? '' });
    expect(await client.has(3)).toEqual([first, { op: 'pong' }, second]);
  });

  it('tells how the workers change: all of them first', async () => {
    const { queue } = test.engine;
    const client = await authorised().send({ op: 'subscribe', topic: 'workers' });
    expect(await client.has(1)).toEqual([{ topic: 'workers', type: 'workers.list', workers: [] }]);
    await heartbeat(queue, announcement('a'));
    await client.has(2);
    await heartbeat(queue, { ...announcement('a'), running: 3 });
    await client.has(3);
    await leave(queue, announcement('a'), false);
    const seen = (await client.has(4)).slice(1);
    expect(seen).toMatchObject([
      { topic: 'workers', type: 'worker.changed', worker: { workerId: 'a', status: 'online', running: 0 } },
      { type: 'worker.changed', worker: { running: 3 } },
      { type: 'worker.changed', worker: { status: 'offline', reason: 'stopped' } },
    ]);
    await client.send({ op: 'unsubscribe', topic: 'workers' }, { op: 'subscribe', topic: 'queues' });
    expect((await client.has(5))[4]).toMatchObject({ op: 'error', code: 'bad_request' });
  });

  it.each([
    ['no key in the first frame', [{ op: 'subscribe', runId: 'x' }]],
    ['a wrong key', [{ op: 'auth', key: 'wrong' }]],
    ['nonsense', ['nonsense']],
  ])('closes with 4401 on %s', async (_what, frames) => {
    const client = await open().send(...frames);
    expect((await client.closed).code).toBe(4401);
  });

  it('closes with 4401 on a wrong key in the header, and when no key comes', async () => {
    expect((await open({ authorization: 'Bearer wrong' }).closed).code).toBe(4401);
    expect(await open().closed).toEqual({ code: 4401, reason: 'no key within 5 s' });
  });

  it('lets no page of another origin use the session of a browser', async () => {
    const body = new URLSearchParams({ key: test.adminKey });
    const signedIn = await test.call('/login', { key: null, method: 'POST', body });
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await open({ cookie, origin: 'http://localhost:1' }).closed).code).toBe(4401);
    const own = await open({ cookie, origin: test.api.url }).send({ op: 'ping' });
    expect(await own.has(1)).toEqual([{ op: 'pong' }]);
  });

  it('tells of faults and goes on', async () => {
    const runId = await test.submit();
    const client = await authorised().send(
      '{"op":',
      '['.repeat(10_000),
      { op: 'dance' },
      { op: 'subscribe', runId: 'x' },
      { op: 'subscribe', runId, after: 'x' },
      { op: 'subscribe', runId },
      { op: 'subscribe', runId },
      { op: 'unsubscribe', runId: 'never' },
      { op: 'ping' },
    );
    const frames = await client.has(7);
    expect(frames.map((frame) => frame['code'] ?? frame['op'])).toEqual([
      'unparsable',
      'unparsable',
      'bad_request',
      'run_not_found',
      'bad_request',
      'bad_request',
      'pong',
    ]);
    expect(frames[3]).toEqual({ op: 'error', code: 'run_not_found', detail: 'There is no run x.', runId: 'x' });
  });

  it('does not take binary or huge frames', async () => {
    const client = await authorised().send({ op: 'ping' });
    client.socket.send(new Uint8Array([1, 2, 3]));
    expect((await client.has(2))[1]).toMatchObject({ op: 'error', code: 'bad_request' });
    client.socket.send('x'.repeat(100_000));
    expect((await client.closed).code).toBe(1009);
  });
});

describe('a stop of the API', () => {
  it('ends streams, sockets and waiting requests, and takes no more', async () => {
    const test = await testApi();
    const runId = await test.submit();
    await test.history.write(runId, [log('a')]);
    const stream = await test.call(`/v1/runs/${runId}/events`);
    const waiting = test.call(`/v1/runs/${runId}/wait?timeout=10m`);
    const client = new SocketClient(test.api.url, { authorization: `Bearer ${test.adminKey}` });
    await client.send({ op: 'subscribe', runId });
    await client.has(1);
    const start = Date.now();
    await test.api.close();
    expect(Date.now() - start).toBeLessThan(8_000);
    expect((await client.closed).code).toBe(1001);
    expect(await stream.text()).toContain(': the server stops');
    expect(await (await waiting).json()).toMatchObject({ runId, status: 'pending' });
    await expect(test.call('/health/live')).rejects.toThrow();
    await test.api.close();
    await test.close();
  });
});
