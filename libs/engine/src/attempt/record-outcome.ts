import { EVENT_ARTIFACTS, taskError, type FinalTaskStatus, type TaskError } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import { templateReferences } from '@lattice/expression';
import type { TaskDefinition } from '@lattice/flow';
import { record, recordAndBegin, recordsInOrder, type RecordOptions, type Recorded } from '@lattice/queue';
import { setTimeout as delay } from 'node:timers/promises';
import { scopeOfArtifacts } from '../artifacts/references';
import { endWithOutputs } from '../run/finalise';
import { keepOutput } from '../run/outputs';
import { gatesOf } from '../run/release';
import { beginningOf, isOver, scopeOf, type Slice } from './slice';
import { whenConnected } from './when-connected';

/** Milliseconds between two tries to record what was sent and not answered. */
const AGAIN_MS = 500;

/** `sent`: the record has left, and whatever follows on the connection comes after it. */
interface Sent {
  readonly reply: 'sent';
  readonly recorded: Promise<Recorded>;
}

/** Records how an attempt ended. */
export async function recordOutcome(
  slice: Slice,
  task: TaskDefinition,
  attempt: number,
  outcome: Outcome,
): Promise<Recorded | Sent> {
  const { context, run } = slice;
  const entry = { taskKey: task.key, attempt, gates: gatesOf(slice.compiled, task.key) };
  const { queue } = context.runtime;
  switch (outcome.status) {
    case 'completed': {
      const apart = outcome.artifacts !== undefined;
      const output = { taskKey: task.key, attempt, json: outcome.outputJson, apart };
      const kept = await whenConnected(slice.signal, () => keepOutput(context.runtime, run, output));
      const { outputBytes } = kept;
      slice.tasks[task.key] = {
        status: 'completed',
        output: JSON.parse(outcome.outputJson),
        error: null,
        artifacts: scopeOfArtifacts(outcome.artifacts),
      };
      slice.ran += 1;
      return recordCompleted(slice, task, {
        ...entry,
        status: 'completed',
        output: kept.field,
        error: '',
        ...(outputBytes === undefined
          ? { eventJson: eventOf(outcome.outputJson, outcome) }
          : { eventJson: eventOf('null', outcome), outputBytes }),
      });
    }
    case 'failed':
      return record(queue, run, { ...entry, ...ended('failed', outcome.error, { error: outcome.error }) });
    case 'cancelled':
      return record(queue, run, {
        ...entry,
        ...ended('cancelled', taskError('cancelled', 'the run is being stopped'), { reason: 'stopped' }),
      });
  }
}

/** Data of task.completed. The output is JSON text already. */
function eventOf(outputJson: string, { cachedFrom, artifacts }: Extract<Outcome, { status: 'completed' }>): string {
  const from = cachedFrom === undefined ? '' : `,"cached":true,"cachedFrom":${JSON.stringify(cachedFrom)}`;
  const left = artifacts === undefined ? '' : `,"artifacts":${JSON.stringify(artifacts.slice(0, EVENT_ARTIFACTS))}`;
  return `{"output":${outputJson}${from}${left}}`;
}

/** Goes on with the chain in the same step, or ends the run, where that can be. */
async function recordCompleted(slice: Slice, task: TaskDefinition, entry: RecordOptions): Promise<Recorded | Sent> {
  const { context, run, compiled, job, signal } = slice;
  const { queue } = context.runtime;
  const next = compiled.workflow.tasks.get(job.tasks[job.tasks.indexOf(task.key) + 1] ?? '');
  if (next === undefined) {
    const mayBeLast = entry.gates.length === 0 && compiled.jobs.get(job.id)?.parentClass === undefined;
    const endJson = mayBeLast ? endOfRun(slice) : undefined;
    const last = endJson === undefined ? entry : { ...entry, endJson };
    // Nothing is to be released, so that the job may be acknowledged right behind; with race points there is something between.
    const goesOn = entry.gates.length === 0 && context.runtime.race === undefined && recordsInOrder(queue);
    return goesOn ? { reply: 'sent', recorded: recordSurely(slice, last) } : record(queue, run, last);
  }
  // What a task in the midst of a chain opens would have to be released before the next one begins.
  if (entry.gates.length > 0 || isOver(slice) || signal.aborted) return record(queue, run, entry);
  const { recorded, begun } = await recordAndBegin(queue, run, entry, beginningOf(slice, next));
  slice.begun = begun;
  return recorded;
}

/** The job may be acknowledged already, and nobody else would do the task: it is tried until there is a reply, or the lock is lost. */
async function recordSurely({ context, run, signal }: Slice, entry: RecordOptions): Promise<Recorded> {
  const { queue, log } = context.runtime;
  for (;;) {
    try {
      return await record(queue, run, entry);
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn(
        { err: error, runId: run.runId, taskKey: entry.taskKey },
        'a result could not be recorded; it is tried again',
      );
    }
    await delay(AGAIN_MS);
  }
}

/** What the run ends with should the task at hand be its last one; undefined when that can't be said from what is at hand. */
function endOfRun(slice: Slice): string | undefined {
  const { compiled, tasks, given } = slice;
  const { outputs } = compiled.workflow;
  const known = [...templateReferences(outputs).tasks].every((key) => tasks[key] !== undefined);
  if (!known || given === undefined) return undefined;
  const end = endWithOutputs(outputs, scopeOf(slice));
  return end.type === 'run.completed' ? end.eventJson : undefined;
}

function ended(
  status: FinalTaskStatus,
  error: TaskError,
  data: unknown,
): { status: FinalTaskStatus; output: string; error: string; eventJson: string } {
  return { status, output: '', error: JSON.stringify(error), eventJson: JSON.stringify(data) };
}
