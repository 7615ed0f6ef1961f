import { randomUUID } from 'node:crypto';
import { confirmServer, initialise, openQueue, readServer, type QueueConnection } from '../src/index';

/** A queue on the Redis of REDIS_URL, with a prefix of its own. */
export function testQueue(): Promise<QueueConnection> {
  const redisUrl = process.env['REDIS_URL'];
  if (redisUrl === undefined) throw new Error('These tests need Redis: run `npm test`, or set REDIS_URL.');
  return openQueue({ redisUrl, prefix: `{test:${randomUUID()}}`, name: 'test', onError: () => undefined });
}

/** One that is ready for runs: it has its epoch, and is trusted. */
export async function readyQueue(): Promise<QueueConnection> {
  const queue = await testQueue();
  await initialise(queue, '1');
  await confirmServer(queue, await readServer(queue.redis));
  return queue;
}

/** Removes all that is below its prefix, and closes it. */
export async function clearQueue(queue: QueueConnection): Promise<void> {
  const keys = await queue.redis.keys(`${queue.keys.prefix.replace('{', '\\{')}*`);
  if (keys.length > 0) await queue.redis.del(keys);
  await queue.close();
}
