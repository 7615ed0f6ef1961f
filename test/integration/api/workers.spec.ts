import { heartbeat } from '@lattice/queue';
import { announcement } from '../../../libs/queue/test/announcement';
import { testApi, type TestApi } from './support';

let test: TestApi;
beforeAll(async () => {
  test = await testApi();
  await heartbeat(test.engine.queue, announcement('a'));
});
afterAll(() => test.close());

const statusOf = async (path: string, init: RequestInit = { method: 'POST' }) => (await test.call(path, init)).status;

it('lists workers', async () => {
  const body = await (await test.call('/v1/workers')).json();
  expect(body).toMatchObject({ workers: [{ workerId: 'a', status: 'online', free: { slots: 1 }, gpus: [] }] });
});

it('tells a worker to drain, cordon and uncordon', async () => {
  const drained = await test.post('/v1/workers/a/drain', { exit: true, timeout: '5s' });
  expect([drained.status, await drained.json()]).toEqual([202, { workerId: 'a', order: 'drain' }]);
  expect(await heartbeat(test.engine.queue, announcement('a'))).toEqual({
    order: 'drain',
    exit: true,
    timeoutMs: 5_000,
  });
  expect(await statusOf('/v1/workers/a/drain')).toBe(202);
  expect(await heartbeat(test.engine.queue, announcement('a'))).toEqual({ order: 'drain', exit: false });
  expect(await statusOf('/v1/workers/a/cordon')).toBe(202);
  expect(await statusOf('/v1/workers/a/uncordon')).toBe(202);
  expect(await heartbeat(test.engine.queue, announcement('a'))).toEqual({ order: 'uncordon', exit: false });
});

it('refuses what makes no sense', async () => {
  expect((await test.post('/v1/workers/a/drain', { exit: 'soon' })).status).toBe(400);
  expect((await test.post('/v1/workers/a/drain', { timeout: 'soon' })).status).toBe(400);
  const unknown = await test.call('/v1/workers/b/cordon', { method: 'POST' });
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'worker_not_found' }]);
  expect(await statusOf('/v1/workers/a/cordon', { method: 'GET' })).toBe(405);
});
