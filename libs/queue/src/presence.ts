import { WORKER_ORDERS, workerViewSchema, type WorkerStatus, type WorkerView } from '@lattice/contracts';
import { z } from 'zod';
import type { QueueConnection } from './connection';

/** Milliseconds between the heartbeats of a worker; three missed ones make it stale. */
export const HEARTBEAT_MS = 5_000;
const STALE_MS = 3 * HEARTBEAT_MS;
/** A worker that was silent for so long is forgotten. */
const FORGET_MS = 24 * 3_600_000;
/** One that was stopped in order is shown for so long. */
const FORGET_STOPPED_MS = 3_600_000;
/** Silent for so long a worker counts as offline. */
const OFFLINE_MS = 4 * STALE_MS;
/** A worker that has not shown for so long that it takes tasks counts as deaf. */
export const DEAF_MS = 3 * HEARTBEAT_MS;

const announcementSchema = workerViewSchema.omit({ status: true, reason: true, seenAt: true, provedAt: true }).extend({
  state: z.enum(['registering', 'online', 'cordoned', 'draining', 'drained']),
  /** Workers of earlier versions tell nothing of these. */
  scripts: z.boolean().default(false),
  outside: z.boolean().default(false),
  /** Milliseconds since the worker last showed that it takes tasks. */
  provedAgo: z.number(),
  /** Tells this process from others of the same id; workers of earlier versions don't tell it. */
  life: z.string().optional(),
  /** When it was stopped in order, ms since 1970 by the clock of Redis. */
  stoppedAt: z.number().optional(),
});

/** What a worker tells of itself with every heartbeat. */
export type Announcement = z.infer<typeof announcementSchema>;

const orderSchema = z.object({
  order: z.enum(WORKER_ORDERS),
  exit: z.boolean().default(false),
  timeoutMs: z.number().optional(),
  /** Of the process that a drain is for. */
  life: z.string().optional(),
});

/** What a worker was told, and is to go by until it is told otherwise. */
export type StoredOrder = z.input<typeof orderSchema>;

/**
 * Tells that the worker lives; gives the order that stands for it: a drain of an earlier process, which was killed, does not. The time
 * is that of Redis: clocks of workers are not trusted.
 */
export async function heartbeat(queue: QueueConnection, worker: Announcement): Promise<StoredOrder | undefined> {
  const now = await serverTime(queue);
  const { workerId } = worker;
  const order = queue.keys.workerOrder(workerId);
  const replies = await queue.redis
    .multi()
    .get(order)
    .zadd(queue.keys.workers, now, workerId)
    .set(queue.keys.worker(workerId), JSON.stringify(worker), 'PX', FORGET_MS)
    .pexpire(order, FORGET_MS)
    .exec();
  const text = replies?.[0]?.[1];
  if (typeof text !== 'string') return undefined;
  const stored = orderSchema.parse(JSON.parse(text));
  const isOver = stored.order === 'drain' && stored.life !== undefined && stored.life !== worker.life;
  return isOver ? undefined : stored;
}

/**
 * The last word of a worker that stops by itself: it is offline at once, and shown as such for a while. A cordon holds for the next process of that
 * id; a drain has had its way.
 */
export async function leave(queue: QueueConnection, worker: Announcement, draining: boolean): Promise<void> {
  const stoppedAt = await serverTime(queue);
  const { workerId } = worker;
  const last: Announcement = { ...worker, batches: [], running: 0, stoppedAt };
  const step = queue.redis
    .multi()
    // Nobody waits for what it had: it does not count as alive.
    .zadd(queue.keys.workers, stoppedAt - OFFLINE_MS, workerId)
    .set(queue.keys.worker(workerId), JSON.stringify(last), 'PX', FORGET_STOPPED_MS);
  await (draining ? step.del(queue.keys.workerOrder(workerId)) : step).exec();
}

/** Stores what a worker is told to do; false when no worker of this id was seen within a day. */
export async function orderWorker(queue: QueueConnection, workerId: string, order: StoredOrder): Promise<boolean> {
  if ((await queue.redis.zscore(queue.keys.workers, workerId)) === null) return false;
  const life = order.order === 'drain' ? lifeOf(await queue.redis.get(queue.keys.worker(workerId))) : undefined;
  await keepOrder(queue, workerId, life === undefined ? order : { ...order, life });
  return true;
}

function lifeOf(text: string | null): string | undefined {
  return text === null ? undefined : announcementSchema.safeParse(JSON.parse(text)).data?.life;
}

/** Stores an order that a Redis which lost its data has forgotten. */
export async function keepOrder(queue: QueueConnection, workerId: string, order: StoredOrder): Promise<void> {
  await queue.redis.set(queue.keys.workerOrder(workerId), JSON.stringify(order), 'PX', FORGET_MS);
}

/** All workers that were seen within a day, with their state by the clock of Redis. Those of a version that can't be read are left out. */
export async function listWorkers(queue: QueueConnection): Promise<WorkerView[]> {
  const now = await serverTime(queue);
  await queue.redis.zremrangebyscore(queue.keys.workers, '-inf', String(now - FORGET_MS));
  const pairs = await queue.redis.zrange(queue.keys.workers, '0', '-1', 'WITHSCORES');
  const ids = pairs.filter((_, index) => index % 2 === 0);
  if (ids.length === 0) return [];
  const texts = await queue.redis.mget(ids.map((id) => queue.keys.worker(id)));
  return texts.flatMap((text, index) => (text === null ? [] : viewOf(text, Number(pairs[index * 2 + 1]), now)));
}

function viewOf(text: string, seen: number, now: number): WorkerView[] {
  const parsed = announcementSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return [];
  const { state, provedAgo, stoppedAt, life: _, ...worker } = parsed.data;
  const last = stoppedAt ?? seen;
  const proved = last - provedAgo;
  const status = stoppedAt === undefined ? statusOf(state, { silent: now - seen, unproved: now - proved }) : 'offline';
  const reason = status !== 'offline' ? null : stoppedAt === undefined ? 'silent' : 'stopped';
  const [seenAt = '', provedAt = ''] = [last, proved].map((time) => new Date(time).toISOString());
  return [{ ...worker, status, reason, seenAt, provedAt }];
}

function statusOf(
  state: Announcement['state'],
  { silent, unproved }: { silent: number; unproved: number },
): WorkerStatus {
  if (silent > OFFLINE_MS) return 'offline';
  if (silent > STALE_MS) return 'stale';
  return state === 'online' && unproved > DEAF_MS + HEARTBEAT_MS ? 'deaf' : state;
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
