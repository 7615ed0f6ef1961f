import { announcement } from '../test/announcement';
import { testQueue } from '../test/test-queue';
import type { QueueConnection } from './connection';
import { aliveWorkers, heartbeat, keepOrder, leave, listWorkers, orderWorker, type Announcement } from './presence';

let queue: QueueConnection;
beforeEach(async () => {
  queue = await testQueue();
});
afterEach(async () => {
  const own = ['a', 'b'].flatMap((id) => [queue.keys.worker(id), queue.keys.workerOrder(id)]);
  await queue.redis.del(queue.keys.workers, ...own);
  await queue.close();
});

const worker = (change: Partial<Announcement> = {}): Announcement => announcement('a', change);
const status = async (): Promise<string | undefined> => (await listWorkers(queue))[0]?.status;
/** As if the last heartbeat had come so long ago. */
const age = (ms: number) => queue.redis.zincrby(queue.keys.workers, -ms, 'a');

test('ST-T1, LL-T5: a silent worker is stale after 15 s, then offline, and shown as such', async () => {
  await heartbeat(queue, worker());
  expect(await status()).toBe('online');
  await age(14_000);
  expect(await status()).toBe('online');
  await age(1_500);
  expect(await status()).toBe('stale');
  await age(46_000);
  expect(await listWorkers(queue)).toMatchObject([{ status: 'offline', reason: 'silent' }]);
  await age(24 * 3_600_000);
  expect(await listWorkers(queue)).toEqual([]);
});

test('LL-T9, E7: the clock of a worker counts for nothing, only that of the server', async () => {
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now');
  for (const wrong of [now + 3_600_000, now - 3_600_000]) {
    clock.mockReturnValue(wrong);
    await heartbeat(queue, worker());
    const [view] = await listWorkers(queue);
    expect(view?.status).toBe('online');
    expect(Math.abs(Date.parse(view?.seenAt ?? '') - now)).toBeLessThan(60_000);
  }
  clock.mockRestore();
  await age(15_500);
  expect(await status()).toBe('stale');
});

test('a heartbeat alone does not make a worker ready: it has to show that it takes tasks', async () => {
  await heartbeat(queue, worker({ provedAgo: 21_000 }));
  expect(await status()).toBe('deaf');
  const [view] = await listWorkers(queue);
  expect(Date.parse(view?.seenAt ?? '') - Date.parse(view?.provedAt ?? '')).toBe(21_000);
  await heartbeat(queue, worker({ state: 'cordoned', provedAgo: 21_000 }));
  expect(await status()).toBe('cordoned');
});

test('a worker learns with its heartbeat what it is to do; a drain ends with it, a cordon stays', async () => {
  expect(await orderWorker(queue, 'a', { order: 'cordon' })).toBe(false);
  expect(await heartbeat(queue, worker())).toBeUndefined();
  expect(await orderWorker(queue, 'a', { order: 'cordon' })).toBe(true);
  expect(await heartbeat(queue, worker())).toEqual({ order: 'cordon', exit: false });
  await leave(queue, worker(), false);
  expect(await listWorkers(queue)).toMatchObject([{ workerId: 'a', status: 'offline', reason: 'stopped' }]);
  expect(await aliveWorkers(queue)).toEqual(new Set());
  expect(await heartbeat(queue, worker())).toEqual({ order: 'cordon', exit: false });
  await keepOrder(queue, 'a', { order: 'drain', exit: true, timeoutMs: 5 });
  expect(await heartbeat(queue, worker())).toEqual({ order: 'drain', exit: true, timeoutMs: 5 });
  await leave(queue, worker(), true);
  expect(await heartbeat(queue, worker())).toBeUndefined();
});

test('a drain is for the process that was there, a cordon for whoever has the id', async () => {
  await heartbeat(queue, worker({ life: 'first' }));
  await orderWorker(queue, 'a', { order: 'drain', exit: true });
  const order = await heartbeat(queue, worker({ life: 'first' }));
  expect(order).toMatchObject({ order: 'drain', exit: true });
  expect(await heartbeat(queue, worker({ life: 'second' }))).toBeUndefined();
  if (order !== undefined) await keepOrder(queue, 'a', order);
  expect(await heartbeat(queue, worker({ life: 'second' }))).toBeUndefined();
  await orderWorker(queue, 'a', { order: 'cordon' });
  expect(await heartbeat(queue, worker({ life: 'third' }))).toMatchObject({ order: 'cordon' });
  expect(Object.keys((await listWorkers(queue))[0] ?? {})).not.toContain('life');
});

test('a worker of a version that can not be read does not hide the others', async () => {
  await heartbeat(queue, worker());
  await heartbeat(queue, worker({ workerId: 'b' }));
  await queue.redis.set(queue.keys.worker('a'), '{"old":true}');
  expect((await listWorkers(queue)).map(({ workerId }) => workerId)).toEqual(['b']);
});
