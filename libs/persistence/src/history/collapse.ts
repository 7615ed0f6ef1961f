import { EVENTS, isFinalRun, isFinalTask, type RunStatus, type TaskStatus } from '@lattice/contracts';
import type { HistoryEntry } from './entry';

/** What a batch changes of a task. Null leaves `attempts`, `workerId`, `queuedAt` and `startedAt`; it clears the others. */
export interface TaskChange {
  runId: string;
  key: string;
  epoch: number;
  /** Attempt of the event that gave the status; null when that is of no attempt. */
  attempt: number | null;
  /** Highest attempt begun. */
  attempts: number | null;
  status: TaskStatus;
  workerId: string | null;
  /** Times are milliseconds since 1970. */
  queuedAt: number | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** JSON text. */
  output: string | null;
  outputBytes: number | null;
  /** The run whose result was taken over. */
  cachedFrom: string | null;
  /** JSON text. */
  error: string | null;
  reason: string | null;
}

/** What a batch changes of a run. Null leaves `startedAt` and clears the others. */
export interface RunChange {
  runId: string;
  epoch: number;
  status: RunStatus;
  startedAt: number | null;
  finishedAt: number | null;
  /** JSON texts. */
  outputs: string | null;
  error: string | null;
  reason: string | null;
}

/**
 * How far along an attempt a status is. A task moves to a higher (attempt, rank) only and never on from a final status,
 * unless the epoch of its run was raised: what the transitions of the contract come to when events in between may be
 * missing. `write-history.sql` has the same order.
 */
export const RANKS: Record<TaskStatus, number> = {
  pending: 0,
  queued: 1,
  running: 2,
  retrying: 3,
  completed: 4,
  failed: 4,
  cancelled: 4,
  // Only a task that does not run yet is skipped.
  skipped: 2,
};

/**
 * The changes of rows that a batch of entries comes to: one for each task and one for each run, so that a task that was
 * queued, started and completed within a batch is written once. Throws when the data of an entry is not what the
 * catalogue of events says, and when entries contradict each other: halves of the batch may then do.
 */
export function collapse(entries: readonly HistoryEntry[]): { tasks: TaskChange[]; runs: RunChange[] } {
  const tasks = new Map<string, TaskChange>();
  const runs = new Map<string, RunChange>();
  for (const entry of entries) {
    const data: unknown = JSON.parse(entry.data);
    const task = taskChangeOf(entry, data);
    if (task !== undefined) {
      const id = `${task.runId} ${task.key}`;
      tasks.set(id, mergeTask(tasks.get(id), task));
    }
    const run = runChangeOf(entry, data);
    if (run !== undefined) runs.set(run.runId, mergeRun(runs.get(run.runId), run));
  }
  return { tasks: [...tasks.values()], runs: [...runs.values()] };
}

/** The change that follows a first one, or the first where it goes further. */
function mergeTask(first: TaskChange | undefined, next: TaskChange): TaskChange {
  if (first === undefined) return next;
  if (next.epoch > first.epoch) return { ...next, attempts: next.attempts ?? first.attempts };
  if (contradicts(next, first)) throw new Error(`${next.key} goes on after its end`);
  if (!isAhead(next, first)) return first;
  return {
    ...next,
    attempts: maxOf(first.attempts, next.attempts),
    workerId: next.workerId ?? first.workerId,
    queuedAt: first.queuedAt ?? next.queuedAt,
    startedAt: next.startedAt ?? first.startedAt,
  };
}

/**
 * True when a task has ended and a step follows that would hold if that end did not: whether it did depends on the row (a late
 * answer is refused), so such steps can't be one change. Does not happen while attempts are fenced.
 */
function contradicts(next: TaskChange, first: TaskChange): boolean {
  if (next.epoch !== first.epoch || !isFinalTask(first.status) || next.status === 'queued') return false;
  if (first.status === 'skipped') return true;
  return first.attempt !== null && (next.attempt === null || next.attempt > first.attempt);
}

function isAhead(next: TaskChange, first: TaskChange): boolean {
  if (next.epoch < first.epoch || isFinalTask(first.status)) return false;
  if (next.status === 'queued') return first.status === 'queued';
  const known = first.attempts ?? 0;
  const attempt = next.attempt ?? known;
  return attempt > known || (attempt === known && RANKS[next.status] > RANKS[first.status]);
}

function mergeRun(first: RunChange | undefined, next: RunChange): RunChange {
  if (first === undefined || next.epoch > first.epoch) return next;
  if (next.epoch < first.epoch || isFinalRun(first.status)) return first;
  return { ...next, startedAt: first.startedAt ?? next.startedAt };
}

function maxOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** What one entry changes of its task; undefined for entries that change none. */
function taskChangeOf(entry: HistoryEntry, data: unknown): TaskChange | undefined {
  const { type, at } = entry;
  switch (type) {
    case 'task.queued':
      return task(entry, 'queued', {
        attempt: null,
        attempts: null,
        queuedAt: at,
        reason: EVENTS[type].parse(data).reason ?? null,
      });
    case 'task.started':
      return task(entry, 'running', { workerId: EVENTS[type].parse(data).workerId, startedAt: at });
    case 'task.retrying':
      return task(entry, 'retrying', { error: JSON.stringify(EVENTS[type].parse(data).error) });
    case 'task.completed':
      return task(entry, 'completed', { finishedAt: at, ...resultOf(entry, EVENTS[type].parse(data)) });
    case 'task.failed':
      return task(entry, 'failed', { finishedAt: at, error: JSON.stringify(EVENTS[type].parse(data).error) });
    case 'task.skipped':
      return task(entry, 'skipped', { finishedAt: at, reason: EVENTS[type].parse(data).reason });
    case 'task.cancelled':
      return task(entry, 'cancelled', { finishedAt: at, reason: EVENTS[type].parse(data).reason });
    case 'task.log':
    case 'task.progress':
      EVENTS[type].parse(data);
      return undefined;
    default:
      return undefined;
  }
}

function task(entry: HistoryEntry, status: TaskStatus, rest: Partial<TaskChange>): TaskChange {
  if (entry.taskKey === null) throw new Error(`${entry.type} names no task`);
  return {
    runId: entry.runId,
    key: entry.taskKey,
    epoch: entry.epoch,
    attempt: entry.attempt,
    attempts: entry.attempt,
    status,
    workerId: null,
    queuedAt: null,
    startedAt: null,
    finishedAt: null,
    output: null,
    outputBytes: null,
    cachedFrom: null,
    error: null,
    reason: null,
    ...rest,
  };
}

function resultOf(
  entry: HistoryEntry,
  { output, cachedFrom }: { output: unknown; cachedFrom?: string | undefined },
): Pick<TaskChange, 'output' | 'outputBytes' | 'cachedFrom'> {
  return { ...outputOf(entry, output), cachedFrom: cachedFrom ?? null };
}

/** An output kept apart leaves no JSON in the row: `output_bytes` says where to look. */
function outputOf(entry: HistoryEntry, output: unknown): Pick<TaskChange, 'output' | 'outputBytes'> {
  if (entry.outputBytes !== undefined && entry.outputBytes !== null) {
    return { output: null, outputBytes: entry.outputBytes };
  }
  return { output: JSON.stringify(output ?? null), outputBytes: null };
}

/** What one entry changes of its run; undefined for entries that change none. */
function runChangeOf(entry: HistoryEntry, data: unknown): RunChange | undefined {
  const { type, at } = entry;
  switch (type) {
    case 'run.started':
      return run(entry, 'running', { startedAt: at });
    case 'run.resumed':
      return run(entry, 'running', {});
    case 'run.paused':
      return run(entry, 'paused', {});
    case 'run.waiting':
      return run(entry, 'waiting', {});
    case 'run.completed':
      return run(entry, 'completed', { finishedAt: at, outputs: jsonOf(EVENTS[type].parse(data).outputs) });
    case 'run.failed': {
      const { error, outputs } = EVENTS[type].parse(data);
      return run(entry, 'failed', { finishedAt: at, error: JSON.stringify(error), outputs: jsonOf(outputs) });
    }
    case 'run.cancelled':
      return run(entry, 'cancelled', { finishedAt: at, reason: EVENTS[type].parse(data).reason ?? null });
    case 'run.created':
    case 'run.recovered':
      EVENTS[type].parse(data);
      return undefined;
    default:
      return undefined;
  }
}

function run(entry: HistoryEntry, status: RunStatus, rest: Partial<RunChange>): RunChange {
  const { runId, epoch } = entry;
  return { runId, epoch, status, startedAt: null, finishedAt: null, outputs: null, error: null, reason: null, ...rest };
}

function jsonOf(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
