import type { TaskStatus } from '@lattice/contracts';
import { downstreamOf, type ControlStep, type Workflow } from '@lattice/flow';

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

/**
 * Of a run that is opened again the tasks that may not keep the runs they have started (rounds of a map or loop, a sub-workflow),
 * since what these were made from is done again: those downstream of the tasks asked for, and of what failed, was cancelled or
 * has not ended. A skip is decided again and comes out as before.
 */
export function roundsAnew(
  { tasks }: Pick<Workflow, 'tasks'>,
  standing: Standing,
  asked: readonly string[] = [],
): string[] {
  const undone = new Set(standing.flatMap(({ key, status }) => (isKept(status) ? [] : [key])));
  const behind = [...tasks.values()].flatMap(({ key, needs }) => (needs.some((need) => undone.has(need)) ? [key] : []));
  const anew = downstreamOf(tasks, [...asked, ...behind]);
  return [...anew].filter((key) => startsRuns(tasks.get(key)?.control));
}

function startsRuns(control: ControlStep | undefined): boolean {
  return control?.kind === 'map' || control?.kind === 'loop' || control?.kind === 'workflow';
}

function isKept(status: TaskStatus): boolean {
  return status === 'completed' || status === 'skipped';
}
