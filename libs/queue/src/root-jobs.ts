import { DelayedError, type Job } from 'bullmq';

/**
 * How a scheduler consumes the queue of root jobs. The work on one is short, so the lock need not be renewed for long; a root
 * in the hands of a scheduler that died keeps its run in Redis until it stalls. Losses are of no account: any number is allowed.
 */
export const ROOT_WORKER_OPTIONS = {
  concurrency: 50,
  lockDuration: 6_000,
  stalledInterval: 2_000,
  maxStalledCount: 1_000_000,
  runRetryDelay: 500,
} as const;

/** Puts a root job aside for so long. Always throws: BullMQ takes the error for the answer. */
export async function rootAgain(job: Job, token: string | undefined, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token);
  throw new DelayedError();
}

export type { Job as RootJob } from 'bullmq';
