import { Queue } from 'bullmq';
import { testQueue } from '../test/test-queue';
import { ClassQueue, type Taken } from './class-queue';
import type { QueueConnection } from './connection';
import type { Disposal } from './disposal';
import { TakeLoop } from './take-loop';

const CLASS = 'handler.test';
const LOCK_MS = 900;

let queue: QueueConnection;
let jobs: Queue;
let loops: TakeLoop<object>[];

beforeEach(async () => {
  queue = await testQueue();
  jobs = new Queue(CLASS, { connection: queue.redis, prefix: queue.keys.prefix });
  loops = [];
});
afterEach(async () => {
  for (const loop of loops) {
    await loop.drain();
    await loop.close();
  }
  await jobs.obliterate({ force: true });
  await jobs.close();
  await queue.close();
});

const add = (taskKey: string) => jobs.add(taskKey, { sha: 's' }, { jobId: `${taskKey}.1.${taskKey}`, priority: 10 });

/** Room for so many jobs at once. */
function slots(count: number) {
  let free = count;
  return {
    order: (names: Iterable<string>) => [...names],
    reserve: () => (free > 0 && free-- > 0 ? {} : 'full'),
    mayGoOn: () => true,
    giveBack: () => void (free += 1),
    free: () => free,
  };
}

function start(
  work: (taken: Taken, signal: AbortSignal) => Promise<Disposal>,
  ledger = slots(1),
  workerId = 'w',
  Made = ClassQueue,
) {
  const errors: unknown[] = [];
  const loop = new TakeLoop({
    ledger,
    work,
    onError: (error) => errors.push(error),
    onReleased: () => undefined,
    lockMs: LOCK_MS,
    sweepMs: 50,
  });
  loops.push(loop);
  const options = { queue, className: CLASS, version: 1, workerId, lockMs: LOCK_MS, stalledMs: 100 };
  loop.add(new Made(options));
  loop.start();
  return { loop, ledger, errors };
}

/** A promise with its end. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

test('takes one after the other as room allows, and gives back what it reserved', async () => {
  const order: string[] = [];
  const all = deferred();
  for (const key of ['a', 'b', 'c']) await add(key);
  const { ledger, loop, errors } = start((taken) => {
    order.push(taken.taskKey);
    expect(ledger.free()).toBe(0);
    if (order.length === 3) all.resolve();
    return Promise.resolve({ do: 'acknowledge' });
  });
  await all.promise;
  await loop.drain();
  expect(order).toEqual(['a', 'b', 'c']);
  expect(ledger.free()).toBe(1);
  expect(errors).toEqual([]);
  expect(await jobs.getJobCounts('completed', 'active')).toEqual({ completed: 3, active: 0 });
});

test('takes a row of jobs at once while each finds one and no other class may have any, and each job once', async () => {
  const worked: string[] = [];
  const done = deferred();
  const gate = deferred();
  for (let job = 0; job < 20; job += 1) await add(`a${job}`);
  let [asking, most] = [0, 0];
  class Counted extends ClassQueue {
    override async take(): Promise<Taken | undefined> {
      asking += 1;
      if (worked.length < 8) most = Math.max(most, asking);
      return super.take().finally(() => (asking -= 1));
    }
  }
  const { loop, ledger, errors } = start(
    async ({ taskKey }) => {
      worked.push(taskKey);
      if (worked.length === 8) gate.resolve();
      if (worked.length === 20) done.resolve();
      await gate.promise;
      return { do: 'acknowledge' };
    },
    slots(8),
    'w',
    Counted,
  );
  await done.promise;
  await loop.drain();
  expect(worked.toSorted()).toEqual(Array.from({ length: 20 }, (_, job) => `a${job}`).toSorted());
  // One, one more, two, four.
  expect(most).toBe(4);
  expect(ledger.free()).toBe(8);
  expect(errors).toEqual([]);
});

test('gives up a class, but not while it works on a job of it', async () => {
  const began = deferred();
  const goOn = deferred();
  await add('a');
  const { loop } = start(async () => {
    began.resolve();
    await goOn.promise;
    return { do: 'acknowledge' };
  });
  await began.promise;
  expect(loop.remove(CLASS)).toBe(false);
  goOn.resolve();
  while (!loop.remove(CLASS)) await new Promise(setImmediate);
  expect(loop.has(CLASS)).toBe(false);
  await add('b');
  loop.wake([CLASS]);
  expect(await jobs.getJobCounts('completed', 'prioritized')).toEqual({ completed: 1, prioritized: 1 });
});

test('what fails behind the record of a job is told, and does not lose the job that its acknowledgement brought', async () => {
  const order: string[] = [];
  const all = deferred();
  for (const key of ['a', 'b']) await add(key);
  const away = new Error('Postgres is away');
  const { loop, ledger, errors } = start((taken) => {
    order.push(taken.taskKey);
    if (order.length === 2) all.resolve();
    const behind = taken.taskKey === 'a' ? Promise.reject(away) : Promise.resolve();
    return Promise.resolve({ do: 'acknowledge', behind });
  });
  await all.promise;
  await loop.drain();
  expect(order).toEqual(['a', 'b']);
  expect(errors).toEqual([away]);
  expect(ledger.free()).toBe(1);
});

test('a job that need not stay aside comes at once', async () => {
  const all = deferred();
  let taken = 0;
  await add('a');
  const { loop } = start(() => {
    taken += 1;
    if (taken === 2) all.resolve();
    return Promise.resolve(taken === 1 ? { do: 'park', stays: () => Promise.resolve(false) } : { do: 'acknowledge' });
  });
  await all.promise;
  await loop.drain();
  expect(await jobs.getCompletedCount()).toBe(1);
});

test('a job that is put back comes after those that wait', async () => {
  const order: string[] = [];
  const all = deferred();
  for (const key of ['a', 'b', 'c']) await add(key);
  start((taken) => {
    order.push(taken.taskKey);
    if (order.length === 4) all.resolve();
    return Promise.resolve({ do: order.length === 1 ? 'requeue' : 'acknowledge' });
  });
  await all.promise;
  expect(order).toEqual(['a', 'b', 'c', 'a']);
});

test('a delayed job comes when its time has come', async () => {
  const starts: number[] = [];
  const all = deferred();
  await add('a');
  start(() => {
    starts.push(Date.now());
    if (starts.length === 2) all.resolve();
    return Promise.resolve(starts.length === 1 ? { do: 'delay', ms: 200 } : { do: 'acknowledge' });
  });
  await all.promise;
  expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(199);
});

test('locks are renewed for as long as the work lasts', async () => {
  await add('a');
  const ended = deferred();
  let aborted = false;
  const { loop } = start(async (_, signal) => {
    await new Promise((resolve) => setTimeout(resolve, 3 * LOCK_MS));
    aborted = signal.aborted;
    ended.resolve();
    return { do: 'acknowledge' };
  });
  await ended.promise;
  await loop.drain();
  expect(aborted).toBe(false);
  expect(await jobs.getCompletedCount()).toBe(1);
});

test('a lock that is lost aborts the work, and only that', async () => {
  await add('a');
  await add('b');
  const reasons = new Map<string, unknown>();
  const ended = deferred();
  const taken = deferred();
  const { loop } = start(async ({ taskKey }, signal) => {
    if (taskKey === 'b') {
      taken.resolve();
      await ended.promise;
      reasons.set('b', signal.aborted);
      return { do: 'acknowledge' };
    }
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    reasons.set('a', signal.reason);
    ended.resolve();
    return { do: 'leave' };
  }, slots(2));
  await taken.promise;
  await queue.redis.del(`${queue.keys.prefix}:${CLASS}:a.1.a:lock`);
  await ended.promise;
  await loop.drain();
  expect([...reasons]).toEqual([
    ['a', 'heartbeat_lost'],
    ['b', false],
  ]);
});

test('a loop whose looks fail does not count as listening, and does again when they succeed', async () => {
  const { loop } = start(() => Promise.resolve({ do: 'acknowledge' }));
  const waiting = `${queue.keys.prefix}:${CLASS}:prioritized`;
  await queue.redis.set(waiting, 'not a queue');
  const look = async (check: () => boolean) => {
    for (let tries = 0; !check(); tries += 1) {
      if (tries > 400) throw new Error(`unproved for ${loop.provedAgo} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await look(() => loop.provedAgo > 500);
  await queue.redis.del(waiting);
  await look(() => loop.provedAgo < 200);
  await queue.redis.set(waiting, 'not a queue');
  loop.hold(true);
  expect(loop.provedAgo).toBe(0);
  await queue.redis.del(waiting);
});

test('what is on its way when the loop is drained goes back for others', async () => {
  for (let round = 0; round < 20; round += 1) {
    await add(`a${round}`);
    let working = 0;
    const { loop } = start(async () => {
      working += 1;
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
      return { do: 'acknowledge' };
    });
    loop.wake([CLASS]);
    if (round % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
    await loop.drain();
    expect([working, loop.running]).toEqual([0, 0]);
    expect(await jobs.getActiveCount()).toBe(0);
  }
});
