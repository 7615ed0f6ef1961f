import type { QueueConnection } from '@lattice/queue';

/** Keys and members under the prefix that still speak of one of the runs. BullMQ's capped streams of its own events don't count. */
export async function leftovers(queue: QueueConnection, runIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const key of await keysBelow(queue)) {
    if (key.endsWith(':events') && key !== queue.keys.events) continue;
    const content = `${key} ${JSON.stringify(await contentOf(queue, key))}`;
    const run = runIds.find((runId) => content.includes(runId));
    if (run !== undefined) found.push(`${key} still has run ${run}`);
  }
  return found;
}

/** Removes all keys under the prefix. */
export async function removeKeys(queue: QueueConnection): Promise<void> {
  const keys = await keysBelow(queue);
  for (let at = 0; at < keys.length; at += 500) await queue.redis.del(keys.slice(at, at + 500));
}

async function keysBelow(queue: QueueConnection): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, batch] = await queue.redis.scan(cursor, 'MATCH', `${queue.keys.prefix}*`, 'COUNT', 1_000);
    keys.push(...batch);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

async function contentOf({ redis }: QueueConnection, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'list':
      return redis.lrange(key, '0', '-1');
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'hash':
      return redis.hgetall(key);
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return '';
  }
}
