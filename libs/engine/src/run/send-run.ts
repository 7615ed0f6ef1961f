import { parseDuration, type WorkflowDocument } from '@lattice/contracts';
import { insertOutbox, type StoredRun } from '@lattice/persistence';
import { announceClasses, createRun, readHead, type CreateGuard, type FlowRun, type NewRunHash } from '@lattice/queue';
import { createdEvent } from './created-event';
import { finaliseIfDone } from './finalise';
import { moveRuns } from './move-runs';
import type { Compiled } from './plans';
import { tellQueued, tellReady } from './add-segments';
import { firstSegments, isStopping, release } from './release';
import { settleRun } from './stop';
import type { Runtime } from '../runtime';
import { nudgeOfTimer } from '../submit/nudge';

/**
 * Puts a run into Redis: the run hash, then the root job with the first segments. Repeating it changes nothing. False when the
 * guard forbids it, or the run is in Redis and goes by plans of another version.
 */
export async function sendRun(
  runtime: Runtime,
  stored: StoredRun,
  document: WorkflowDocument,
  guard?: CreateGuard,
): Promise<boolean> {
  const compiled = runtime.plans.of(stored.documentSha, document);
  const run = flowRunOf(stored);
  await setTimer(runtime, run.runId, document);
  const reply = await createRun(runtime.queue, run, newRunHash(stored, compiled, guard));
  if (reply === 'late' || reply === 'uninitialised') return false;
  await runtime.race?.('after-create', { runId: run.runId });
  if (reply === 'exists') {
    const sent = await sentBefore(runtime, run);
    if (sent !== undefined) return sent;
  }
  const { segments, gates, fails } = await firstSegments(runtime, run, compiled);
  if (compiled.first === undefined || reply === 'exists') await tellQueued(runtime, run, compiled, segments);
  await announceClasses(runtime.queue, Object.values(compiled.plan.classes));
  await runtime.flows.addRun(run, compiled.plan, segments);
  tellReady(runtime, compiled, segments);
  const released = gates.length > 0 ? await release(runtime, { run, compiled, gates, others: 1 }) : undefined;
  if (fails || isStopping(released?.state)) await settleRun(runtime, run.runId);
  else if (segments.length === 0) await finaliseIfDone(runtime, run.runId);
  return true;
}

/** What comes of a run that is in Redis already; undefined when it is to be gone on with. */
export async function sentBefore(runtime: Runtime, { runId, epoch }: FlowRun): Promise<boolean | undefined> {
  const head = await readHead(runtime.queue, runId);
  // It was stopped before its time: nothing of it is queued any more. Or it was made again by somebody who was quicker.
  if (head?.epoch !== epoch || (head.state !== 'running' && head.state !== 'paused')) return true;
  switch (runtime.pin.standingOf(head.version)) {
    case 'same':
      return undefined;
    case 'older':
      return (await moveRuns(runtime, [runId])).waiting.length === 0;
    case 'newer':
      runtime.pin.tell(runId, head.version);
      return false;
  }
}

export function flowRunOf(stored: StoredRun): FlowRun {
  return { runId: stored.runId, epoch: stored.epoch, priority: stored.priority, sha: stored.documentSha };
}

/** Notes when the time of a run is over. Before the run is made: once it is there, a repeated row would not come this way again. */
export async function setTimer(runtime: Runtime, runId: string, document: WorkflowDocument): Promise<void> {
  const timeout = parseDuration(document.timeout ?? '');
  if (timeout === undefined) return;
  await insertOutbox(runtime.db, { kind: 'timeout', runId, delayMs: timeout });
  nudgeOfTimer(runtime, timeout);
}

/** What the hash of a run is made of that begins. */
export function newRunHash(stored: StoredRun, compiled: Compiled, guard: CreateGuard | undefined): NewRunHash {
  return {
    sha: stored.documentSha,
    version: compiled.plan.version,
    inputsJson: JSON.stringify(stored.inputs),
    left: compiled.workflow.tasks.size,
    onFailure: compiled.plan.onFailure,
    priority: stored.priority,
    event: createdEvent(stored),
    queued: compiled.first ?? [],
    ...(guard === undefined ? {} : { guard }),
    ...(stored.parent === null ? {} : { fields: { pa: `${stored.parent.runId}|${stored.parent.taskKey}` } }),
  };
}
