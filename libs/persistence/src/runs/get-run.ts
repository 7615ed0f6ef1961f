import { runIdSchema, runViewSchema, taskErrorSchema, type RunView, type TaskView } from '@lattice/contracts';
import { z } from 'zod';
import { objectColumn, runStatusColumn, taskStatusColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { prepared } from '../statements';

const GET_RUN = prepared('get-run');

const runColumns = z.object({
  id: runViewSchema.shape.runId,
  workflow: z.string(),
  version: z.number().nullable(),
  status: runStatusColumn,
  priority: z.number(),
  created_at: timeColumn,
  started_at: timeColumn.nullable(),
  finished_at: timeColumn.nullable(),
  tags: z.array(z.string()),
  inputs: objectColumn,
  outputs: objectColumn.nullable(),
  error: taskErrorSchema.nullable(),
});
const taskColumns = z.object({
  key: z.string(),
  task_status: taskStatusColumn,
  attempts: z.number(),
  worker_id: z.string().nullable(),
  task_started_at: timeColumn.nullable(),
  task_finished_at: timeColumn.nullable(),
  output: z.unknown(),
  kept_output: z.string().nullable(),
  task_error: taskErrorSchema.nullable(),
  reason: z.string().nullable(),
});

/** A run with all its tasks and outputs, as the API shows it; undefined when there is none of this id. */
export async function getRun(db: Database, runId: string): Promise<RunView | undefined> {
  if (!runIdSchema.safeParse(runId).success) return undefined;
  const rows = await db.query(GET_RUN, [runId]);
  const [first] = rows;
  if (first === undefined) return undefined;
  const run = runColumns.parse(first);
  return {
    runId: run.id,
    workflow: run.workflow,
    version: run.version,
    status: run.status,
    priority: run.priority,
    tags: run.tags,
    createdAt: run.created_at,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    inputs: run.inputs,
    outputs: run.outputs,
    error: run.error,
    tasks: first['key'] === null ? [] : rows.map(toTask),
  };
}

function toTask(row: unknown): TaskView {
  const task = taskColumns.parse(row);
  return {
    key: task.key,
    status: task.task_status,
    startedAt: task.task_started_at,
    finishedAt: task.task_finished_at,
    attempts: task.attempts,
    workerId: task.worker_id,
    output: task.kept_output === null ? task.output : JSON.parse(task.kept_output),
    error: task.task_error,
    reason: task.reason,
  };
}
