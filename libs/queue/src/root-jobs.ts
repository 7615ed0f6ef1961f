import { DelayedError, type Job, type WorkerOptions } from 'bullmq';
import type { QueueConnection } from './connection';

/** How a scheduler consumes the queue of root jobs. */
export function rootWorkerOptions(queue: QueueConnection, lockMs: number): WorkerOptions {
  return {
    connection: queue.redis,
    prefix: queue.keys.prefix,
    concurrency: 50,
    lockDuration: lockMs,
    stalledInterval: 5_000,
    maxStalledCount: 1_000_000,
    runRetryDelay: 500,
  };
}

/** Puts a root job aside for so long. Always throws: BullMQ takes the error for the answer. */
export async function rootAgain(job: Job, token: string | undefined, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token);
  throw new DelayedError();
}

export type { Job as RootJob } from 'bullmq';
