import type { QueueConnection } from './connection';

/** Marks Redis as initialised, if it is not: from here on begin and record accept. Returns the epoch that stands. */
export async function initialise(queue: QueueConnection, epoch: string): Promise<string> {
  await queue.redis.set(queue.keys.epoch, epoch, 'NX');
  return (await queue.redis.get(queue.keys.epoch)) ?? '';
}

/** The epoch that Redis was initialised with; undefined when it lost its data or never had any. */
export async function readEpoch(queue: QueueConnection): Promise<string | undefined> {
  return (await queue.redis.get(queue.keys.epoch)) ?? undefined;
}

/** Takes the mark away: nobody begins or records until {@link initialise}. */
export async function forgetEpoch(queue: QueueConnection): Promise<void> {
  await queue.redis.del(queue.keys.epoch);
}
