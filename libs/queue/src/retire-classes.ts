import { call } from './call-script';
import type { QueueConnection } from './connection';
import { queueNameOf } from './keys';

/** Keys of a queue of BullMQ that are there while it has jobs, and the others. */
const JOBS = ['wait', 'paused', 'active', 'prioritized', 'delayed', 'waiting-children', 'completed', 'failed'] as const;
const REST = ['meta', 'id', 'events', 'marker', 'pc', 'stalled', 'stalled-check'] as const;
/** Classes that are looked at in one go; more are there the next time. */
const MOST = 200;

/**
 * Takes classes away that were announced before `before` and not since, and of which no job is left. Documents name ever new ones: a
 * worker that is gone, a label that is used no more. One that is needed again is announced again. Returns the names of those that went.
 */
export async function retireClasses(
  queue: QueueConnection,
  { before, version }: { readonly before: number; readonly version: number },
): Promise<string[]> {
  const { redis, keys } = queue;
  await noteUnknown(queue);
  const names = await redis.zrange(keys.announced, '-inf', `(${before}`, 'BYSCORE', 'LIMIT', 0, MOST);
  const gone: string[] = [];
  for (const name of names) {
    const base = `${keys.prefix}:${queueNameOf(name, version)}`;
    const of = [...JOBS, ...REST].map((suffix) => `${base}:${suffix}`);
    const reply = await call(redis, 'retire', [keys.classes, keys.announced, ...of], [name, before, JOBS.length]);
    if (reply === 1) gone.push(name);
  }
  return gone;
}

/** Whoever announced these did not say when: their time begins now. */
async function noteUnknown({ redis, keys }: QueueConnection): Promise<void> {
  const names = await redis.hkeys(keys.classes);
  if (names.length === 0) return;
  const times = await redis.zmscore(keys.announced, ...names);
  const unknown = names.filter((_, index) => times[index] === null);
  const now = Date.now();
  if (unknown.length > 0) await redis.zadd(keys.announced, 'NX', ...unknown.flatMap((name) => [now, name]));
}
