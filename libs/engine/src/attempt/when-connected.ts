import { setTimeout as delay } from 'node:timers/promises';
import { isConnectionLoss } from '@lattice/persistence';

const AGAIN_MS = 250;

/**
 * Repeats what failed for want of a connection to Postgres: what an attempt has done is worth the wait, and its lock is renewed
 * meanwhile. Other errors pass; so does the last one when the signal aborts. `fn` must bear repetition.
 */
export async function whenConnected<T>(signal: AbortSignal, fn: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await fn();
    } catch (error) {
      if (!isConnectionLoss(error) || signal.aborted) throw error;
    }
    await delay(AGAIN_MS);
  }
}
