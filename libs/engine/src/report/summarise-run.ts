import { TASK_STATUSES, type RunReportSummary, type RunView, type TaskView } from '@lattice/contracts';
import { criticalPath } from './critical-path';

const SLOWEST = 5;

/** What is summed up: a run and its tasks; outputs and errors don't matter. */
export interface Summarised {
  readonly run: Pick<RunView, 'createdAt' | 'startedAt' | 'finishedAt' | 'reopenedAt'>;
  readonly tasks: readonly Pick<
    TaskView,
    'key' | 'status' | 'attempts' | 'startedAt' | 'finishedAt' | 'executionTime'
  >[];
  readonly needsOf: (key: string) => readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Counts, times, slowest tasks and critical path of a run, as they are now. Linear in tasks and dependencies. */
export function summariseRun({ run, tasks, needsOf, now }: Summarised): RunReportSummary {
  const counts = new Map(TASK_STATUSES.map((status) => [status, 0]));
  let attempts = 0;
  let retries = 0;
  let executionTime = 0;
  for (const task of tasks) {
    counts.set(task.status, (counts.get(task.status) ?? 0) + 1);
    attempts += task.attempts;
    retries += Math.max(0, task.attempts - 1);
    executionTime += task.executionTime ?? 0;
  }
  const totals = Object.fromEntries(counts) as RunReportSummary['totals'];
  const started = run.startedAt === null ? undefined : Date.parse(run.startedAt);
  const end = run.finishedAt === null ? now : Date.parse(run.finishedAt);
  return {
    totals,
    tasks: tasks.length,
    attempts,
    retries,
    elapsed: started === undefined ? null : Math.max(0, end - started),
    queueTime: started === undefined ? null : Math.max(0, started - Date.parse(run.reopenedAt ?? run.createdAt)),
    executionTime,
    slowest: slowestOf(tasks),
    criticalPath: criticalPath({ tasks, needsOf, startedAt: run.startedAt }),
  };
}

function slowestOf(tasks: Summarised['tasks']): RunReportSummary['slowest'] {
  const timed = tasks.flatMap(({ key, executionTime }) =>
    executionTime === null || executionTime === undefined ? [] : [{ key, executionTime }],
  );
  return timed.sort((a, b) => b.executionTime - a.executionTime).slice(0, SLOWEST);
}
