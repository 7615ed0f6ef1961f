import { markStopping, waitingRuns, type StopWish, type StoredRun } from '@lattice/persistence';
import { deleteRun, pauseRun, readHead, stopRun } from '@lattice/queue';
import { createdEvent } from '../run/created-event';
import { recreateRun } from '../run/rebuild';
import { settleRun } from '../run/stop';
import type { Runtime } from '../runtime';

/**
 * Stops a run: to cancel it, or with an error to let it fail. One that is not in Redis (it is delayed, or waits for a limit)
 * is made there first, so that its end takes the usual road. False when it is to be asked for again: its hash is still to come, or to be
 * made again, or somebody writes to its row.
 */
export async function stopStored(runtime: Runtime, stored: StoredRun, wish: StopWish): Promise<boolean> {
  // Who makes the run again, should Redis be lost, knows it from Postgres alone. Attempts need not wait for that to be told.
  const [marked] = await Promise.all([markStopping(runtime.db, stored.runId, wish), stop(runtime, stored.runId, wish)]);
  if (!marked || !(await putIntoRedis(runtime, stored))) return false;
  const reply = await stop(runtime, stored.runId, wish);
  if (reply === 'ok') await settleRun(runtime, stored.runId);
  return reply !== 'gone';
}

function stop({ queue }: Runtime, runId: string, { reason, error }: StopWish): ReturnType<typeof stopRun> {
  return stopRun(queue, runId, { reason, ...(error === undefined ? {} : { errorJson: JSON.stringify(error) }) });
}

/**
 * Pauses a run. One that is not in Redis is made there first: it must not slip through when its time comes. False when its hash is
 * still to come, or to be made again.
 */
export async function pauseStored(runtime: Runtime, stored: StoredRun): Promise<boolean> {
  if (!(await putIntoRedis(runtime, stored))) return false;
  await pauseRun(runtime.queue, stored.runId);
  return true;
}

/**
 * Makes the hash of a run that was not sent to the queue yet, from its tasks, since those of a fork or rerun may have ended
 * already. Nothing of it is queued by that, and what is to be stopped never starts. False when whoever sends it is to make it.
 */
async function putIntoRedis(runtime: Runtime, stored: StoredRun): Promise<boolean> {
  const { runId, epoch } = stored;
  const head = await readHead(runtime.queue, runId);
  // One with a higher epoch was recovered meanwhile, and goes on as that.
  if (head !== undefined && head.epoch >= epoch) return true;
  const fresh = stored.status === 'pending';
  if (!fresh && !(await waitingRuns(runtime.db, [runId])).has(runId)) return false;
  if (head !== undefined) {
    // What a rerun's last time left there.
    const last = { runId, epoch: head.epoch };
    const { plan } = await runtime.plans.get(head.sha);
    if (!(await runtime.flows.removeRun(last, plan))) return false;
    await deleteRun(runtime.queue, last);
  }
  const event = fresh ? createdEvent(stored) : ({ type: 'run.resumed', json: '{"reason":"retry"}' } as const);
  await recreateRun(runtime, { run: stored, epoch, event });
  return true;
}
