import { EVENTS, type AttemptReport, type RunReport } from '@lattice/contracts';
import { readAttempts, type AttemptEvent } from '@lattice/persistence';
import type { Engine } from '../context';
import { readRun } from '../read/read-run';

/** All that is known of a run in one document: the run, its summary, its tasks, and every attempt. Throws `run_not_found`. */
export async function reportRun(engine: Engine, runId: string): Promise<RunReport> {
  const run = await readRun(engine, runId);
  return { run, attempts: attemptsOf(await readAttempts(engine.db, runId)) };
}

/** Attempts in the order in which they began. */
export function attemptsOf(events: readonly AttemptEvent[]): AttemptReport[] {
  const attempts = new Map<string, AttemptReport>();
  for (const event of events) {
    const id = `${event.task_key} ${event.attempt}`;
    const known = attempts.get(id);
    if (known !== undefined) attempts.set(id, ended(known, event));
    else if (event.type === 'task.started') attempts.set(id, begun(event));
  }
  return [...attempts.values()];
}

function begun({ task_key, attempt, at, data }: AttemptEvent): AttemptReport {
  const { workerId, level } = EVENTS['task.started'].parse(data);
  return {
    task: task_key,
    attempt,
    status: 'running',
    workerId,
    level: level ?? null,
    startedAt: at,
    finishedAt: null,
    duration: null,
    error: null,
  };
}

function ended(attempt: AttemptReport, { type, at, data }: AttemptEvent): AttemptReport {
  const end = { finishedAt: at, duration: Math.max(0, Date.parse(at) - Date.parse(attempt.startedAt)) };
  switch (type) {
    case 'task.started':
      return attempt;
    case 'task.completed':
      return { ...attempt, ...end, status: 'completed' };
    case 'task.cancelled':
      return { ...attempt, ...end, status: 'cancelled' };
    case 'task.failed':
      return { ...attempt, ...end, status: 'failed', error: EVENTS[type].parse(data).error };
    case 'task.retrying':
      return { ...attempt, ...end, status: 'failed', error: EVENTS[type].parse(data).error };
  }
}
