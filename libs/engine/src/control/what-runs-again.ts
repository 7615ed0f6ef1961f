import type { TaskStatus } from '@lattice/contracts';
import { downstreamOf, type Workflow } from '@lattice/flow';

/** How the tasks of a run stand. */
export type Standing = readonly { readonly key: string; readonly status: TaskStatus }[];

/**
 * The tasks that a rerun does again: the task, and what is downstream of it unless it is to be run alone; and tasks that were
 * cancelled with what is downstream of those: they have no result that could be kept. What completed, failed or was skipped
 * elsewhere stays as it is.
 */
export function rerunTasks(
  { tasks }: Workflow,
  standing: Standing,
  asked: { task: string; downstream: boolean },
): Set<string> {
  const unfinished = standing.flatMap(({ key, status }) => (isKept(status) || status === 'failed' ? [] : [key]));
  const again = downstreamOf(tasks, asked.downstream ? [...unfinished, asked.task] : unfinished);
  again.add(asked.task);
  return again;
}

/**
 * The tasks whose results a fork takes over: those that completed or were skipped, and are downstream neither of the tasks it
 * starts from nor of one that failed, was cancelled or has not ended.
 */
export function reusedTasks({ tasks }: Workflow, standing: Standing, from: readonly string[]): string[] {
  const undone = standing.flatMap(({ key, status }) => (isKept(status) ? [] : [key]));
  const again = downstreamOf(tasks, [...from, ...undone]);
  return standing.flatMap(({ key }) => (again.has(key) ? [] : [key]));
}

function isKept(status: TaskStatus): boolean {
  return status === 'completed' || status === 'skipped';
}
