/**
 * The two state machines of the platform: what states there are, which moves are allowed, what the states mean.
 *
 * A run goes pending -> running -> (waiting | paused) -> completed | failed | cancelled; a rerun opens a run
 * that has ended again. A task goes pending -> queued -> running -> (retrying ->) completed | failed | skipped | cancelled.
 */
export const RUN_STATUSES = ['pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const TASK_STATUSES = [
  'pending',
  'queued',
  'running',
  'retrying',
  'completed',
  'failed',
  'skipped',
  'cancelled',
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** Where a run may go from each state. A final state is left only by a rerun. */
export const RUN_TRANSITIONS: Record<RunStatus, readonly RunStatus[]> = {
  pending: ['running', 'cancelled', 'failed', 'completed', 'paused'],
  running: ['waiting', 'paused', 'completed', 'failed', 'cancelled'],
  waiting: ['running', 'paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'waiting', 'failed', 'cancelled'],
  completed: ['running'],
  failed: ['running'],
  cancelled: ['running'],
};

/** Where a task may go from each state. A final state is left only by a rerun, which starts the task as pending. */
export const TASK_TRANSITIONS: Record<TaskStatus, readonly TaskStatus[]> = {
  pending: ['queued', 'running', 'skipped', 'cancelled'],
  queued: ['running', 'skipped', 'failed', 'cancelled'],
  running: ['retrying', 'completed', 'failed', 'cancelled'],
  retrying: ['running', 'failed', 'cancelled'],
  completed: ['pending'],
  failed: ['pending'],
  skipped: ['pending'],
  cancelled: ['pending'],
};

/** The states in which a task has ended, with their result. */
export const FINAL_TASK_STATUSES = ['completed', 'failed', 'skipped', 'cancelled'] as const;
export type FinalTaskStatus = (typeof FINAL_TASK_STATUSES)[number];

const FINAL_RUN = new Set<RunStatus>(['completed', 'failed', 'cancelled']);
const FINAL_TASK = new Set<string>(FINAL_TASK_STATUSES);

/** True when the run has ended. */
export function isFinalRun(status: RunStatus): boolean {
  return FINAL_RUN.has(status);
}

/** True when the task has ended. */
export function isFinalTask(status: TaskStatus): status is FinalTaskStatus {
  return FINAL_TASK.has(status);
}

/** True when the run may move from one state to the other. */
export function mayMoveRun(from: RunStatus, to: RunStatus): boolean {
  return RUN_TRANSITIONS[from].includes(to);
}

/** True when the task may move from one state to the other. */
export function mayMoveTask(from: TaskStatus, to: TaskStatus): boolean {
  return TASK_TRANSITIONS[from].includes(to);
}
