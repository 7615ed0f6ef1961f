import {
  artifactSchema,
  runIdSchema,
  runViewSchema,
  taskErrorSchema,
  type RunView,
  type TaskView,
} from '@lattice/contracts';
import { z } from 'zod';
import { objectColumn, runStatusColumn, taskStatusColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { parentColumns, parentOfRow } from './parent-columns';
import { prepared } from '../statements';
import { waitsColumn, withWaits } from './waits';

const GET_RUN = prepared('get-run');
const GET_RUN_BRIEF = prepared('get-run-brief');

const runColumns = z.object({
  id: runViewSchema.shape.runId,
  workflow: z.string(),
  document_sha: z.string(),
  epoch: z.number(),
  forked_from: z.string().nullable(),
  reopened_at: timeColumn.nullable(),
  version: z.number().nullable(),
  status: runStatusColumn,
  priority: z.number(),
  created_at: timeColumn,
  started_at: timeColumn.nullable(),
  finished_at: timeColumn.nullable(),
  schedule: z.string().nullable(),
  tick: timeColumn.nullable(),
  ...parentColumns,
  tags: z.array(z.string()),
  inputs: objectColumn,
  outputs: objectColumn.nullable(),
  error: taskErrorSchema.nullable(),
  run_reason: z.string().nullable(),
});
/** Milliseconds since 1970. */
const msColumn = z.number().nullable();
const artifactsColumn = z.array(artifactSchema.extend({ kind: z.enum(['file', 'output']) })).nullable();
const tasksColumn = z.array(
  z.tuple([
    z.string(),
    taskStatusColumn,
    z.number(),
    z.string().nullable(),
    msColumn,
    msColumn,
    msColumn,
    z.unknown(),
    z.string().nullable(),
    z.boolean(),
    taskErrorSchema.nullable(),
    z.string().nullable(),
    artifactsColumn,
  ]),
);

/** A run as the API shows it, and the document that it runs. */
export interface FoundRun extends RunView {
  documentSha: string;
  epoch: number;
}

/** A run with all its tasks and outputs; undefined when there is none of this id. */
export async function getRun(db: Database, runId: string): Promise<FoundRun | undefined> {
  if (!runIdSchema.safeParse(runId).success) return undefined;
  const [row] = await db.query(GET_RUN, [runId]);
  if (row === undefined) return undefined;
  const run = toRun(row);
  const startedAt = run.startedAt === null ? undefined : Date.parse(run.startedAt);
  const tasks = tasksColumn.parse(row['tasks']).map((task) => toTask(task, startedAt));
  return { ...run, tasks: withWaits(tasks, waitsColumn.parse(row['waits'])) };
}

/** A task of which only its state and its times are known. */
export type TaskTimes = Pick<TaskView, 'key' | 'status' | 'attempts' | 'startedAt' | 'finishedAt' | 'executionTime'>;

/** {@link getRun} without what the tasks made: cheap also for a run of thousands of tasks. */
export async function getRunBrief(
  db: Database,
  runId: string,
): Promise<{ run: Omit<FoundRun, 'tasks'>; times: TaskTimes[] } | undefined> {
  if (!runIdSchema.safeParse(runId).success) return undefined;
  const [row] = await db.query(GET_RUN_BRIEF, [runId]);
  if (row === undefined) return undefined;
  return { run: toRun(row), times: timesColumn.parse(row['times']) };
}

const timesColumn = z.array(
  z
    .tuple([z.string(), taskStatusColumn, z.number(), msColumn, msColumn])
    .transform(([key, status, attempts, started, finished]): TaskTimes => ({
      key,
      status,
      attempts,
      startedAt: timeOf(started),
      finishedAt: timeOf(finished),
      executionTime: started === null || finished === null ? null : finished - started,
    })),
);

function toRun(row: unknown): Omit<FoundRun, 'tasks'> {
  const run = runColumns.parse(row);
  return {
    runId: run.id,
    documentSha: run.document_sha,
    epoch: run.epoch,
    workflow: run.workflow,
    version: run.version,
    status: run.status,
    priority: run.priority,
    tags: run.tags,
    createdAt: run.created_at,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    schedule: run.schedule,
    tick: run.tick,
    parent: parentOfRow(run),
    reopenedAt: run.reopened_at,
    forkedFrom: run.forked_from,
    inputs: run.inputs,
    outputs: run.outputs,
    error: run.error,
    reason: run.run_reason,
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function artifactsOf(
  all: NonNullable<z.infer<typeof artifactsColumn>>,
): Pick<TaskView, 'artifacts' | 'outputArtifact'> {
  const artifacts = all.flatMap(({ kind, ...artifact }) => (kind === 'file' ? [artifact] : []));
  const [output] = all.flatMap(({ kind, ...artifact }) => (kind === 'output' ? [artifact] : []));
  return {
    ...(artifacts.length === 0 ? {} : { artifacts }),
    ...(output === undefined ? {} : { outputArtifact: output }),
  };
}

function toTask(task: z.infer<typeof tasksColumn>[number], runStarted: number | undefined): TaskView {
  const [key, status, attempts, workerId, queued, started, finished, output, kept, cached, error, reason, artifacts] =
    task;
  return {
    key,
    status,
    queuedAt: timeOf(queued),
    startedAt: timeOf(started),
    finishedAt: timeOf(finished),
    executionTime: started === null || finished === null ? null : finished - started,
    attempts,
    reused: finished !== null && (runStarted === undefined || finished < runStarted),
    workerId,
    output: kept === null ? output : JSON.parse(kept),
    ...artifactsOf(artifacts ?? []),
    cached,
    error,
    reason,
  };
}
