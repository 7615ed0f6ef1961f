import { taskError } from '@lattice/contracts';
import type { TaskDefinition } from '@lattice/flow';
import { listWorkers, readHead, record, type FlowRun } from '@lattice/queue';
import { z } from 'zod';
import { finaliseIfDone } from '../run/finalise';
import { gatesOf, release } from '../run/release';
import { settleRun } from '../run/stop';
import type { Runtime } from '../runtime';
import { waitingReason } from '../worker/waiting-reason';

/** Looked at again after so long while the run is paused. */
const PAUSED_MS = 5_000;

const payloadSchema = z.object({ taskKey: z.string(), epoch: z.number(), attempt: z.number() });

/**
 * The time of a queued task is over: if no attempt of it began, it fails, and what that opens is released. Returns
 * milliseconds after which to look again when that can't be said now: a run is paused, or Redis was lost.
 */
export async function endUnbegun(runtime: Runtime, runId: string, given: unknown): Promise<true | number> {
  const { taskKey, epoch, attempt } = payloadSchema.parse(given);
  const head = await readHead(runtime.queue, runId);
  if (head?.epoch !== epoch) return true;
  if (head.state === 'paused') return PAUSED_MS;
  if (head.state !== 'running') return true;
  // Once the run was moved to this version it has another epoch, and another timer.
  if (!runtime.pin.holds(head.version)) return PAUSED_MS;
  const compiled = await runtime.plans.get(head.sha);
  const task = compiled.workflow.tasks.get(taskKey);
  if (task === undefined) return true;
  const run: FlowRun = { runId, epoch, priority: head.priority, sha: head.sha };
  const error = taskError('queue_timeout', await messageOf(runtime, task));
  const recorded = await record(runtime.queue, run, {
    taskKey,
    attempt,
    status: 'failed',
    output: '',
    error: JSON.stringify(error),
    eventJson: JSON.stringify({ error }),
    gates: gatesOf(compiled, taskKey),
  });
  if (recorded.reply === 'uninitialised') return PAUSED_MS;
  if (recorded.reply !== 'ok' && recorded.reply !== 'repeat') return true;
  let { left, state } = recorded;
  await runtime.race?.('after-record', { runId, taskKey });
  if (state === 'running' && recorded.open.length > 0) {
    const released = await release(runtime, { run, compiled, gates: recorded.open, others: recorded.others });
    if (released !== undefined) ({ left, state } = released);
  }
  if (state === 'failing' || state === 'cancelling') await settleRun(runtime, runId);
  else if (left === 0) await finaliseIfDone(runtime, runId);
  return true;
}

async function messageOf(runtime: Runtime, task: TaskDefinition): Promise<string> {
  const reason = waitingReason(task.class, await listWorkers(runtime.queue));
  const why = reason ?? 'the workers that could take it were busy all the time';
  return `no worker began task "${task.key}" within ${task.queueTimeoutMs} ms: ${why}`;
}
