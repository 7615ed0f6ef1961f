import { controlChildren } from '@lattice/persistence';
import { stopRun } from '@lattice/queue';
import type { Runtime } from '../runtime';

/** Runs that are stopped in Redis at the same time. */
const CHUNK = 500;

/**
 * Cancels the active runs that a run, or one of its tasks, has started. The wish is stored first; then all that run are stopped
 * at once, since the outbox takes its time with ten thousand of them. Returns how many have not ended.
 */
export async function stopChildren(
  runtime: Runtime,
  of: { runId: string; taskKey?: string | undefined },
  reason: string,
): Promise<number> {
  const { active, asked } = await controlChildren(runtime.db, of, { kind: 'cancel', payload: { reason } });
  if (asked.length === 0) return active.length;
  for (let at = 0; at < asked.length; at += CHUNK) {
    await Promise.all(asked.slice(at, at + CHUNK).map((runId) => stopRun(runtime.queue, runId, { reason })));
  }
  await runtime.queue.bus.publish('nudge', '');
  return active.length;
}
