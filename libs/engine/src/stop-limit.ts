import type { Settings } from '@lattice/config';

/** Enough for all that a process has under way, in milliseconds. */
const USUAL_MS = 20_000;
/** What a worker needs after its tasks have ended, or were stopped. */
const AFTER_DRAIN_MS = 10_000;

/** Milliseconds after which a process that was told to stop ends with 1. A worker has all of its drain, and the grace of what is then stopped. */
export function stopLimitOf(app: string, { worker }: { worker: Pick<Settings['worker'], 'drain' | 'grace'> }): number {
  if (app !== 'worker') return USUAL_MS;
  return Math.max(USUAL_MS, worker.drain + worker.grace + AFTER_DRAIN_MS);
}
