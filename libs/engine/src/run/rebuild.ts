import { isFinalTask, taskError, type EventType } from '@lattice/contracts';
import { tasksOf } from '@lattice/flow';
import { findStop, taskResults, type Stop, type StoredRun, type TaskResult } from '@lattice/persistence';
import { createRun, readHead, type FlowRun } from '@lattice/queue';
import { STEP_NONCE, STEP_OWNER } from '../control-tasks/step-owner';
import type { Runtime } from '../runtime';
import { finaliseIfDone } from './finalise';
import type { Compiled } from './plans';
import { tellQueued, tellReady } from './add-segments';
import { firstSegments, release } from './release';

/** Why a run is made again, for its history. */
export interface Rebuild {
  readonly run: StoredRun;
  /** The epoch that was raised for it. */
  readonly epoch: number;
  readonly event: { readonly type: EventType; readonly json: string };
  /** It is yet to be sent: its time, or its turn at a limit, is to come. Who sends it then releases what is open. */
  readonly unsent?: boolean;
}

/** What a run that was made again goes on from. */
interface Known {
  readonly run: FlowRun;
  readonly compiled: Compiled;
  readonly ended: ReadonlySet<string>;
  /** Tasks of each gate that have ended. */
  readonly counts: readonly number[];
  /** Tasks that ended otherwise than completed. */
  readonly others: number;
}

interface Recreated extends Known {
  /** Nothing of it is begun any more. */
  readonly stopping: boolean;
}

/**
 * Makes a run in Redis again from what Postgres holds of it: tasks that have ended there stay ended and never run again, the
 * others are released as their gates are open. Of a run that is being stopped they are not: what stops it, or the reconciler, ends
 * it. May be repeated.
 */
export async function rebuildRun(runtime: Runtime, rebuild: Rebuild): Promise<void> {
  const known = await recreateRun(runtime, rebuild);
  if (known === undefined) return;
  await runtime.race?.('after-create', { runId: rebuild.run.runId });
  if (!known.stopping && rebuild.unsent !== true) await releaseOpen(runtime, known);
  await finaliseIfDone(runtime, rebuild.run.runId);
}

/**
 * Makes the run hash alone from what Postgres holds of a run; one that is there already is left as it is. Undefined when that is of
 * another epoch or version: it is not ours to go on with.
 */
export async function recreateRun(
  runtime: Runtime,
  { run: stored, epoch, event }: Rebuild,
): Promise<Recreated | undefined> {
  const compiled = await runtime.plans.get(stored.documentSha);
  const results = await taskResults(runtime.db, stored.runId);
  const stop = await findStop(runtime.db, stored.runId);
  const ended = results.filter(({ status }) => isFinalTask(status));
  const run: FlowRun = { runId: stored.runId, epoch, priority: stored.priority, sha: stored.documentSha };
  const keys = new Set(ended.map(({ key }) => key));
  const counts = countGates(compiled, keys);
  const others = ended.filter(({ status }) => status !== 'completed').length;
  const reply = await createRun(runtime.queue, run, {
    sha: run.sha,
    version: compiled.plan.version,
    inputsJson: JSON.stringify(stored.inputs),
    left: results.length - ended.length,
    onFailure: compiled.plan.onFailure,
    priority: run.priority,
    event,
    // It is made only to be stopped: it never starts.
    ...(stop === undefined ? {} : { guard: 'stop' }),
    fields: {
      // What comes up then is put aside until the run goes on.
      ...(stored.status === 'paused' ? { st: 'paused' } : {}),
      ...(stored.parent === null ? {} : { pa: `${stored.parent.runId}|${stored.parent.taskKey}` }),
      ...Object.fromEntries(results.flatMap((result) => Object.entries(fieldsOf(compiled, result)))),
      ...Object.fromEntries(counts.map((count, gate) => [`g:${gate}`, count])),
      nc: others,
      nf: ended.filter(({ status }) => status === 'failed').length,
      ...(stop === undefined ? {} : stopFields(stop, results)),
    },
  });
  if (reply === 'exists') {
    const head = await readHead(runtime.queue, run.runId);
    if (head?.epoch !== epoch || !runtime.pin.holds(head.version)) return undefined;
  }
  return { run, compiled, ended: keys, counts, others, stopping: stop !== undefined };
}

/** The state of a run that is being stopped, as `stop.lua`, `stop-all.lua` and `record.lua` leave it. */
function stopFields(stop: Stop, results: readonly TaskResult[]): Record<string, string> {
  switch (stop.why) {
    case 'above':
      return { st: 'cancelling', cr: `run ${stop.runId} is being stopped` };
    case 'asked': {
      const { reason, error } = stop.wish;
      return error === undefined ? { st: 'cancelling', cr: reason } : { st: 'failing', fe: JSON.stringify(error) };
    }
    case 'failed': {
      const error = results.find(({ key }) => key === stop.taskKey)?.error;
      return {
        st: 'failing',
        fe: JSON.stringify(error ?? taskError('internal', 'no error is stored')),
        ft: stop.taskKey,
      };
    }
  }
}

function fieldsOf(compiled: Compiled, task: TaskResult): Record<string, string | number> {
  const { key, status, attempts } = task;
  const begun = {
    ...(attempts > 0 ? { [`a:${key}`]: attempts } : {}),
    ...(task.attemptsBefore > 0 ? { [`b:${key}`]: task.attemptsBefore } : {}),
  };
  if (!isFinalTask(status)) return { ...begun, ...stepFields(compiled, task) };
  const output = task.outputBytes === null ? task.output : `@${task.epoch}.${attempts}`;
  const error = task.error === null ? task.reason : JSON.stringify(task.error);
  return {
    ...begun,
    [`r:${key}`]: status,
    ...(output === null ? {} : { [`o:${key}`]: output }),
    ...(error === null ? {} : { [`e:${key}`]: error }),
  };
}

/** A task of the schedulers goes on with its attempt: what it waits for has not been lost. */
function stepFields({ workflow }: Compiled, task: TaskResult): Record<string, string | number> {
  const { key, status, attempts, startedAt } = task;
  if (status !== 'running' || startedAt === null || workflow.tasks.get(key)?.control === undefined) return {};
  return { [`w:${key}`]: `${STEP_OWNER}|${STEP_NONCE}`, [`s:${key}`]: `${attempts}|${Date.parse(startedAt)}` };
}

/** How many tasks of each gate are among those that have ended. */
export function countGates(compiled: Compiled, ended: ReadonlySet<string>): number[] {
  return compiled.plan.gates.map(({ after }) => after.filter((key) => ended.has(key)).length);
}

/** Adds the root with the segments that are free and not done, then those whose gates are open. */
export async function releaseOpen(runtime: Runtime, known: Known): Promise<void> {
  const { run, compiled } = known;
  const { plan } = compiled;
  const isDone = (index: number): boolean => {
    const segment = plan.segments[index];
    return segment === undefined || [...tasksOf(segment.job)].every((key) => known.ended.has(key));
  };
  const first = await firstSegments(runtime, run, compiled, isDone);
  await tellQueued(runtime, run, compiled, first.segments);
  await runtime.flows.addRun(run, plan, first.segments);
  tellReady(runtime, compiled, first.segments);
  const open = plan.gates.flatMap(({ after, segments }, gate) =>
    known.counts[gate] === after.length && segments.some((index) => !isDone(index)) ? [gate] : [],
  );
  const gates = [...new Set([...open, ...first.gates])];
  if (gates.length > 0) await release(runtime, { run, compiled, gates, others: Math.max(known.others, 1), isDone });
}
