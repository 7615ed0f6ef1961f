import type { OnFailure } from '@lattice/contracts';
import type { ResourceClass } from './resource-class';

/**
 * How a run maps onto BullMQ flows: printable JSON, the same for the same document. A plan has no ids of runs: job ids are
 * `runId.epoch.` and the id of the job here.
 */
export interface FlowPlan {
  /** {@link PLAN_VERSION} of the compiler that made it. */
  readonly version: number;
  readonly onFailure: OnFailure;
  readonly fuse: boolean;
  readonly tasks: Readonly<Record<string, PlanTask>>;
  readonly gates: readonly PlanGate[];
  readonly segments: readonly PlanSegment[];
  readonly classes: Readonly<Record<string, ResourceClass>>;
}

export interface PlanTask {
  /** The segment that holds the task. */
  readonly segment: number;
  /** The gates that the end of this task counts towards. */
  readonly gates: readonly number[];
}

/** A counter in the run hash. Open when every task of `after` has ended. Tasks with the same dependencies share one. */
export interface PlanGate {
  readonly after: readonly string[];
  readonly segments: readonly number[];
}

/** A tree of jobs that is added at once when its gate opens; `gate` is null when it is added at the start. */
export interface PlanSegment {
  readonly gate: number | null;
  readonly job: PlanJob;
  /** Tasks that may start once the segment is added. */
  readonly ready: readonly string[];
}

/** One BullMQ job: a chain of tasks that one worker does one after the other. It waits for its children. */
export interface PlanJob {
  /** Key of its first task. */
  readonly id: string;
  readonly tasks: readonly string[];
  /** Name of the resource class = the queue. */
  readonly class: string;
  /** Added to the priority of the run; absent when nothing is. */
  readonly priority?: number;
  readonly children: readonly PlanJob[];
}
