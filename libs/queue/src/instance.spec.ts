import { testQueue } from '../test/test-queue';
import { confirmServer, forgetEpoch, initialise, lookAt, readServer, removeAll, trimStream } from './index';
import type { QueueConnection } from './index';

let queue: QueueConnection;

beforeEach(async () => {
  queue = await testQueue();
});
afterEach(async () => {
  await removeAll(queue);
  await queue.redis.del(queue.keys.workers);
  await queue.close();
});

async function append(): Promise<string> {
  return (await queue.redis.xadd(queue.keys.events, '*', 't', 'test')) ?? '';
}

const has = async (streamId: string): Promise<boolean> => (await lookAt(queue, streamId)).has;

describe('what Postgres has of the stream', () => {
  it('is in it, or was taken out', async () => {
    const [first, second] = [await append(), await append()];
    expect(await has(second)).toBe(true);
    await trimStream(queue, first);
    expect(await has(first)).toBe(true);
    expect(await has(second)).toBe(true);
    expect(await queue.redis.xlen(queue.keys.events)).toBe(1);
    await trimStream(queue, second);
    expect(await has(second)).toBe(true);
  });

  it('is missed in an older Redis, also when that has newer entries by now', async () => {
    const first = await append();
    await trimStream(queue, first);
    await append();
    const [ms = ''] = first.split('-');
    expect(await has(`${Number(ms) + 1}-77`)).toBe(false);
  });

  it('is not made up by who takes it out of an older Redis', async () => {
    const later = `${Date.now() + 1_000}-0`;
    await append();
    await trimStream(queue, later);
    expect(await has(later)).toBe(false);
    expect(await queue.redis.xlen(queue.keys.events)).toBe(1);
  });

  it('is not unsaid by a writer that comes late', async () => {
    const [first, second] = [await append(), await append()];
    await trimStream(queue, second);
    await trimStream(queue, first);
    expect(await has(second)).toBe(true);
  });
});

describe('trust', () => {
  it('waits for the word of who compared this server with Postgres, and goes with the connection', async () => {
    expect(await queue.trust.look()).toBe(false);
    const waiting = queue.trust.wait();
    await confirmServer(queue, 'another-server');
    expect(await queue.trust.look()).toBe(false);
    await confirmServer(queue, await readServer(queue.redis));
    await waiting;
    const { generation } = queue.trust;
    queue.redis.disconnect(true);
    await new Promise((resolve) => queue.redis.once('close', resolve));
    expect(queue.trust.holds).toBe(false);
    expect(queue.trust.generation).toBeGreaterThan(generation);
    await queue.trust.wait();
  });

  it('ends with the epoch', async () => {
    await initialise(queue, '1');
    await confirmServer(queue, await readServer(queue.redis));
    await queue.trust.wait();
    await forgetEpoch(queue);
    expect(await queue.trust.look()).toBe(false);
  });

  it('is not waited for by who gives up', async () => {
    await expect(queue.trust.wait(AbortSignal.timeout(20))).rejects.toThrow();
    const waiting = queue.trust.wait();
    queue.trust.close();
    await expect(waiting).rejects.toThrow('closed');
  });
});

it('all goes but what workers tell of themselves', async () => {
  await queue.redis.set(queue.keys.run('x'), '1');
  await queue.redis.set(`${queue.keys.prefix}:some-class:meta`, '1');
  await queue.redis.zadd(queue.keys.workers, 1, 'w');
  await removeAll(queue);
  expect(await queue.redis.keys(`${queue.keys.prefix.replace('{', '\\{')}*`)).toEqual([queue.keys.workers]);
});
