import { insertTaskTimer } from '@lattice/persistence';
import { readUnqueued, type FlowRun } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { nudgeOfTimer } from '../submit/nudge';
import type { Compiled } from './plans';

/** Kind of the outbox row that ends a task which was queued for too long. */
export const QUEUE_TIMEOUT = 'queue-timeout';

/**
 * Starts the timers of those of the tasks that may not be queued for ever. Comes before `task.queued` is written, so that a crash
 * between the two is made good by the repeat; a repeat after it starts no second timer.
 */
export async function startQueueTimers(
  runtime: Runtime,
  run: FlowRun,
  compiled: Compiled,
  taskKeys: readonly string[],
): Promise<void> {
  const timed = taskKeys.flatMap((taskKey) => {
    const delayMs = compiled.workflow.tasks.get(taskKey)?.queueTimeoutMs;
    return delayMs === undefined ? [] : [{ taskKey, delayMs }];
  });
  if (timed.length === 0) return;
  const unqueued = await readUnqueued(
    runtime.queue,
    run.runId,
    timed.map(({ taskKey }) => taskKey),
  );
  for (const { taskKey, delayMs } of timed) {
    const attempt = unqueued.get(taskKey);
    if (attempt === undefined) continue;
    const payload = { taskKey, epoch: run.epoch, attempt };
    await insertTaskTimer(runtime.db, { kind: QUEUE_TIMEOUT, runId: run.runId, payload, delayMs });
    nudgeOfTimer(runtime, delayMs);
  }
}
