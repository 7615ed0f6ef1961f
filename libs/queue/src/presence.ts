import { workerViewSchema, type WorkerView } from '@lattice/contracts';
import { z } from 'zod';
import type { QueueConnection } from './connection';

/** Milliseconds between the heartbeats of a worker; three missed ones make it stale. */
export const HEARTBEAT_MS = 5_000;
const STALE_MS = 3 * HEARTBEAT_MS;
/** A worker that was silent for so long is forgotten. */
const FORGET_MS = 24 * 3_600_000;
/** Silent for so long a worker counts as offline. */
const OFFLINE_MS = 4 * STALE_MS;

const announcementSchema = workerViewSchema.omit({ status: true, seenAt: true }).extend({ draining: z.boolean() });

/** What a worker tells of itself with every heartbeat. */
export type Announcement = z.infer<typeof announcementSchema>;

/** Tells that the worker lives. The time is that of Redis: clocks of workers are not trusted. */
export async function heartbeat(queue: QueueConnection, worker: Announcement): Promise<void> {
  const now = await serverTime(queue);
  await queue.redis
    .multi()
    .zadd(queue.keys.workers, now, worker.workerId)
    .set(queue.keys.worker(worker.workerId), JSON.stringify(worker), 'PX', FORGET_MS)
    .exec();
}

/** Takes a worker that stops by itself off the list. */
export async function leave(queue: QueueConnection, workerId: string): Promise<void> {
  await queue.redis.multi().zrem(queue.keys.workers, workerId).del(queue.keys.worker(workerId)).exec();
}

/** All workers that were seen within a day, with their state by the clock of Redis. */
export async function listWorkers(queue: QueueConnection): Promise<WorkerView[]> {
  const now = await serverTime(queue);
  await queue.redis.zremrangebyscore(queue.keys.workers, '-inf', String(now - FORGET_MS));
  const pairs = await queue.redis.zrange(queue.keys.workers, '0', '-1', 'WITHSCORES');
  const ids = pairs.filter((_, index) => index % 2 === 0);
  if (ids.length === 0) return [];
  const texts = await queue.redis.mget(ids.map((id) => queue.keys.worker(id)));
  return texts.flatMap((text, index) => (text === null ? [] : [viewOf(text, Number(pairs[index * 2 + 1]), now)]));
}

function viewOf(text: string, seen: number, now: number): WorkerView {
  const { draining, ...worker } = announcementSchema.parse(JSON.parse(text));
  const silent = now - seen;
  const status = silent > OFFLINE_MS ? 'offline' : silent > STALE_MS ? 'stale' : draining ? 'draining' : 'online';
  return { ...worker, status, seenAt: new Date(seen).toISOString() };
}

/** Ids of workers that have not been silent for too long. */
export async function aliveWorkers(queue: QueueConnection): Promise<Set<string>> {
  const now = await serverTime(queue);
  return new Set(await queue.redis.zrangebyscore(queue.keys.workers, String(now - STALE_MS), '+inf'));
}

/** Milliseconds since 1970 by the clock of Redis. */
export async function serverTime(queue: QueueConnection): Promise<number> {
  const [seconds, micros] = await queue.redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
