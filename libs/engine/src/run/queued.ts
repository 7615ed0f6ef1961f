import type { FlowPlan, PlanSegment, Workflow } from '@lattice/flow';
import type { GateCount, QueuedTask } from '@lattice/queue';

/** Tasks that one script tells as queued at most: it must not run for long. */
const MOST_AT_ONCE = 500;
/** Every task before a gate carries the tasks behind it to Redis: of a gate between two wide layers that would be much. */
const MOST_CARRIED = 2_000;

/** What is said of a task once it waits for a worker. */
export function queuedTask(workflow: Workflow, key: string): QueuedTask {
  return { key, json: JSON.stringify({ class: workflow.tasks.get(key)?.class.name ?? '' }) };
}

/**
 * The tasks that wait once these segments are added, if that can be told before: nothing is to be decided upon, no timer to
 * be started, and they are not too many. Undefined else.
 */
export function queuedAtOnce(workflow: Workflow, segments: readonly PlanSegment[]): QueuedTask[] | undefined {
  const ready = segments.flatMap((segment) => segment.ready);
  if (ready.length > MOST_AT_ONCE) return undefined;
  const isPlain = (key: string): boolean => {
    const task = workflow.tasks.get(key);
    return task !== undefined && !task.guarded && task.queueTimeoutMs === undefined;
  };
  return ready.every(isPlain) ? ready.map((key) => queuedTask(workflow, key)) : undefined;
}

/** What `record` has to know of each gate. */
export function gateCounts(workflow: Workflow, plan: FlowPlan): GateCount[] {
  return plan.gates.map(({ after, segments }, gate) => {
    const behind = segments.flatMap((index) => plan.segments[index] ?? []);
    const queued = queuedAtOnce(workflow, behind);
    const carried = after.length * (queued?.length ?? 0);
    return queued === undefined || carried > MOST_CARRIED
      ? { gate, needs: after.length }
      : { gate, needs: after.length, queued };
  });
}
