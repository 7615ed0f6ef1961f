import type { Scope, TaskScope } from '@lattice/expression';
import type { PlanJob, TaskDefinition } from '@lattice/flow';
import type { BeginOptions, Begun, FlowRun, Taken } from '@lattice/queue';
import { STEP_OWNER } from '../control-tasks/step-owner';
import type { Compiled } from '../run/plans';
import type { Given } from '../run/scope';
import type { AttemptContext } from './execute';

/** A slice of a fused chain ends after so long, or so many tasks: others get their turn. */
const SLICE_MS = 1_000;
const SLICE_TASKS = 100;
/** A job in the hands of a worker, and what is known of its run by now. */
export interface Slice {
  readonly context: AttemptContext;
  readonly taken: Taken;
  readonly job: PlanJob;
  readonly run: FlowRun;
  readonly compiled: Compiled;
  readonly signal: AbortSignal;
  readonly started: number;
  /** Tasks of the job that were run by now. */
  ran: number;
  given: Given | undefined;
  readonly tasks: Record<string, TaskScope>;
  /** What follows from the last record of the job, which was sent without waiting for its reply. */
  behind: Promise<void> | undefined;
  /** The attempt of the next task, begun together with the record of the one before. */
  begun: Begun | undefined;
}

/** True when others are to get their turn. */
export function isOver({ ran, started }: Slice): boolean {
  return ran >= SLICE_TASKS || (ran > 0 && performance.now() - started > SLICE_MS);
}

/** What `begin` is to be told of the task. */
export function beginningOf(slice: Slice, task: TaskDefinition): BeginOptions {
  const { context } = slice;
  const own = slice.compiled.workflow.tasks;
  return {
    taskKey: task.key,
    workerId: context.workerId,
    nonce: context.nonce(),
    startedJson: JSON.stringify({ workerId: context.workerId, level: context.levelOf(task) }),
    wantInputs: slice.given === undefined,
    version: slice.compiled.plan.version,
    // Each step of a scheduler is a call under the same mark, and may start something.
    goesOn: context.workerId !== STEP_OWNER,
    results: [...task.references.tasks].filter((key) => own.has(key) && slice.tasks[key] === undefined),
  };
}

/** What the expressions of the next task may know. */
export function scopeOf(slice: Slice): Scope {
  const { run, compiled } = slice;
  return {
    inputs: slice.given?.inputs ?? {},
    each: slice.given?.each,
    tasks: slice.tasks,
    run: { id: run.runId, workflow: compiled.workflow.document.name },
  };
}
