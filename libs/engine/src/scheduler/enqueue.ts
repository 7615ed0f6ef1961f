import { isFinalRun, taskError } from '@lattice/contracts';
import { controlChildren, getDocument, waitingRuns, type OutboxRow, type StoredRun } from '@lattice/persistence';
import { deleteRun, readHead, resumeRun, tellReady } from '@lattice/queue';
import { z } from 'zod';
import type { Admissions } from '../admission/admissions';
import { wakeStep } from '../control-tasks/wake';
import { createdEvent } from '../run/created-event';
import { QUEUE_TIMEOUT } from '../run/queue-timers';
import { rebuildRun } from '../run/rebuild';
import { sendRun, setTimer } from '../run/send-run';
import type { Runtime } from '../runtime';
import { endUnbegun } from './queue-timeout';
import { reconcileRun } from './reconcile';
import { pauseStored, stopStored } from './stop-stored';

/** Kinds of rows that start a run: limits of its workflow hold them up. */
const STARTS = new Set(['run', 'fork', 'retry']);

const signalSchema = z.object({ name: z.string() });
const againSchema = z.object({ reason: z.enum(['retry', 'rerun']).default('retry'), task: z.string().optional() });
const forkSchema = z.object({ forkedFrom: z.string() });
const cancelSchema = z.object({ reason: z.string().default('') });

/** True when the row is dealt with; else it is sent again, after the milliseconds returned if it is a number. */
export async function send(runtime: Runtime, admissions: Admissions, row: OutboxRow): Promise<boolean | number> {
  if (row.run === null) return true;
  if (isFinalRun(row.run.status)) return true;
  if (STARTS.has(row.kind) && !(await admissions.admit(row))) return true;
  switch (row.kind) {
    case 'run':
      return row.document === null ? true : sendRun(runtime, row.run, row.document);
    case 'cancel':
      return sendCancel(runtime, row.run, row.payload);
    case 'deadline':
      return sendDeadline(runtime, row.run);
    case 'timeout':
      return sendTimeout(runtime, row.run);
    case QUEUE_TIMEOUT:
      return endUnbegun(runtime, row.runId, row.payload);
    case 'pause':
      return sendPause(runtime, row.run);
    case 'resume':
      return sendResume(runtime, row.runId);
    case 'retry':
      return sendRetry(runtime, row.run, row.payload);
    case 'fork':
      return sendFork(runtime, row.run, row.payload);
    case 'signal':
      return sendSignal(runtime, row.run, row.payload);
    default:
      throw new Error(`the outbox has a row of an unknown kind: ${row.kind}`);
  }
}

/** Cancels a run. Its hash may be being made again, or its end on its way to Postgres: it is asked again then. */
async function sendCancel(runtime: Runtime, stored: StoredRun, payload: unknown): Promise<boolean> {
  return stopStored(runtime, stored, { reason: cancelSchema.parse(payload ?? {}).reason });
}

/** The time of a run is over: its work is stopped, and the run has failed. */
async function sendTimeout(runtime: Runtime, stored: StoredRun): Promise<boolean> {
  const document = await getDocument(runtime.db, stored.documentSha);
  const error = taskError('run_timeout', `the run did not end within ${document?.timeout ?? 'its timeout'}`, {
    retryable: false,
  });
  return stopStored(runtime, stored, { reason: 'run_timeout', error });
}

/** A run that has not ended by its deadline has failed, whether it was begun or not. */
async function sendDeadline(runtime: Runtime, stored: StoredRun): Promise<boolean> {
  const error = taskError('deadline_exceeded', 'the run had not ended by its deadline', { retryable: false });
  return stopStored(runtime, stored, { reason: 'deadline_exceeded', error });
}

/** Pauses a run, with what its tasks have started. Its hash may be still to come, as that of a rerun: it is asked again then. */
async function sendPause(runtime: Runtime, stored: StoredRun): Promise<boolean> {
  if (!(await pauseStored(runtime, stored))) return false;
  await controlChildren(runtime.db, { runId: stored.runId }, { kind: 'pause' });
  return true;
}

/**
 * Lets a paused run go on: parked jobs go back into their queues, and what was recorded meanwhile is released. All of it is done again
 * when the row comes again: whoever let the run go on may not have come further.
 */
async function sendResume(runtime: Runtime, runId: string): Promise<boolean> {
  const resumed = await resumeRun(runtime.queue, runId);
  if (resumed === undefined) return true;
  await runtime.race?.('after-resume', { runId });
  await controlChildren(runtime.db, { runId }, { kind: 'resume' });
  const run = { runId, epoch: resumed.epoch };
  for (const job of resumed.parked) await runtime.flows.unpark(run, job);
  const classes = [...new Set(resumed.parked.map(({ className }) => className))];
  await tellReady(runtime.queue, classes);
  const head = await readHead(runtime.queue, runId);
  // One that waits for a limit of its workflow is not in the queues yet.
  if (head !== undefined && !(await waitingRuns(runtime.db, [runId])).has(runId))
    await reconcileRun(runtime, runId, head);
  return true;
}

/** Wakes the tasks that wait for a signal of that name. */
async function sendSignal(runtime: Runtime, stored: StoredRun, payload: unknown): Promise<boolean> {
  const { name } = signalSchema.parse(payload);
  const { workflow } = await runtime.plans.get(stored.documentSha);
  const waiting = [...workflow.tasks.values()].filter(
    ({ control }) => control?.kind === 'wait' && 'name' in control.for && control.for.name === name,
  );
  const woken = await Promise.all(waiting.map(({ key }) => wakeStep(runtime, stored.runId, key)));
  return woken.every(Boolean);
}

/** Runs again what Postgres has open of a run that had ended. What the last time left in Redis goes first. */
async function sendRetry(runtime: Runtime, stored: StoredRun, payload: unknown): Promise<boolean> {
  const head = await readHead(runtime.queue, stored.runId);
  // A recovery was quicker: it made the run again from the same rows.
  if (head !== undefined && head.epoch > stored.epoch) return true;
  if (head?.epoch !== stored.epoch) {
    const { plan, workflow } = await runtime.plans.get(stored.documentSha);
    if (head !== undefined) {
      const last = { runId: stored.runId, epoch: head.epoch };
      if (!(await runtime.flows.removeRun(last, plan))) return false;
      await deleteRun(runtime.queue, last);
    }
    await setTimer(runtime, stored.runId, workflow.document);
  }
  const event = { type: 'run.resumed', json: JSON.stringify(againSchema.parse(payload ?? {})) } as const;
  await rebuildRun(runtime, { run: stored, epoch: stored.epoch, event });
  return true;
}

/** Puts a fork into Redis: as it is stored, some of its tasks have ended. */
async function sendFork(runtime: Runtime, stored: StoredRun, payload: unknown): Promise<boolean> {
  const { forkedFrom } = forkSchema.parse(payload);
  if ((await readHead(runtime.queue, stored.runId)) === undefined) {
    await setTimer(runtime, stored.runId, (await runtime.plans.get(stored.documentSha)).workflow.document);
  }
  await rebuildRun(runtime, { run: stored, epoch: stored.epoch, event: createdEvent(stored, forkedFrom) });
  return true;
}
