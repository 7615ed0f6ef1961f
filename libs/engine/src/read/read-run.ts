import {
  LatticeError,
  type LogEntry,
  type RunList,
  type RunReportSummary,
  type RunStatus,
  type RunView,
} from '@lattice/contracts';
import type { Workflow } from '@lattice/flow';
import {
  getDocument,
  getRun,
  getRunBrief,
  getRunState,
  listRuns,
  readLogs,
  type RunFilter,
  type TaskTimes,
} from '@lattice/persistence';
import type { Engine } from '../context';
import { summariseRun } from '../report/summarise-run';
import { explainWaiting } from './explain-waiting';
import { workflowOf } from './workflow-of';

/**
 * A run with its summary and its tasks, and why queued ones wait where no worker could take them; throws `run_not_found`.
 * `tasks: false` leaves the tasks out: cheap also for a run of thousands.
 */
export async function readRun(engine: Engine, runId: string, options: { tasks?: boolean } = {}): Promise<RunView> {
  if (options.tasks === false) return readRunBrief(engine, runId);
  const found = await getRun(engine.db, runId);
  if (found === undefined) throw notFound(runId);
  const { documentSha, epoch: _, tasks, ...run } = found;
  const workflow = await workflowOf(engine, documentSha);
  const view = { ...run, summary: summarise(run, tasks, workflow), tasks };
  return workflow === undefined ? view : explainWaiting(engine, view, workflow);
}

async function readRunBrief(engine: Engine, runId: string): Promise<RunView> {
  const found = await getRunBrief(engine.db, runId);
  if (found === undefined) throw notFound(runId);
  const { documentSha, epoch: _, ...run } = found.run;
  return { ...run, summary: summarise(run, found.times, await workflowOf(engine, documentSha)), tasks: [] };
}

function summarise(
  run: Omit<RunView, 'tasks'>,
  tasks: readonly TaskTimes[],
  workflow: Workflow | undefined,
): RunReportSummary {
  const needsOf = (key: string): readonly string[] => workflow?.tasks.get(key)?.needs ?? [];
  return summariseRun({ run, tasks, needsOf, now: Date.now() });
}

/** State of a run; throws `run_not_found`. Costs one row, however many tasks the run has. */
export async function readRunStatus(engine: Engine, runId: string): Promise<RunStatus> {
  const state = await getRunState(engine.db, runId);
  if (state === undefined) throw notFound(runId);
  return state.status;
}

/** A page of runs, newest first. */
export async function readRuns(engine: Engine, filter: RunFilter): Promise<RunList> {
  return listRuns(engine.db, filter);
}

/** Which log entries of a task to read. */
export interface LogQuery {
  runId: string;
  taskKey: string;
  attempt?: number | undefined;
  /** `next` of the page before. */
  after?: string | undefined;
  limit: number;
}

/** A page of the log of a task; throws `run_not_found`, `task_not_found`. `next` is null when there is no more now. */
export async function readTaskLog(engine: Engine, query: LogQuery): Promise<{ logs: LogEntry[]; next: string | null }> {
  const state = await getRunState(engine.db, query.runId);
  if (state === undefined) throw notFound(query.runId);
  const document = await getDocument(engine.db, state.documentSha);
  if (document !== undefined && !Object.hasOwn(document.tasks, query.taskKey)) {
    throw new LatticeError('task_not_found', `Run ${query.runId} has no task "${query.taskKey}".`);
  }
  const logs = await readLogs(engine.db, { ...query, limit: query.limit + 1 });
  const page = logs.slice(0, query.limit);
  return { logs: page, next: logs.length > page.length ? (page.at(-1)?.id ?? null) : null };
}

function notFound(runId: string): LatticeError {
  return new LatticeError('run_not_found', `There is no run ${runId}.`);
}
