import { taskErrorSchema, type TaskError, type TaskStatus } from '@lattice/contracts';
import { z } from 'zod';
import { taskStatusColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { prepared } from '../statements';

const TASK_RESULTS = prepared('task-results');

/** What history knows of a task. */
export interface TaskResult {
  key: string;
  position: number;
  status: TaskStatus;
  /** Epoch of the run in which the task came to this status. */
  epoch: number;
  attempts: number;
  /** JSON text; null when there is no output, or when it is kept in `outputs`. */
  output: string | null;
  /** Set when the output is kept in `outputs`, at {epoch, key, attempts}. */
  outputBytes: number | null;
  error: TaskError | null;
  reason: string | null;
  /** Of the last attempt; ISO 8601. */
  startedAt: string | null;
  /** Of the attempts, those made before the last rerun. */
  attemptsBefore: number;
}

const resultSchema = z
  .object({
    key: z.string(),
    position: z.number(),
    status: taskStatusColumn,
    epoch: z.number(),
    attempts: z.number(),
    output: z.string().nullable(),
    output_bytes: z.number().nullable(),
    error: taskErrorSchema.nullable(),
    reason: z.string().nullable(),
    started_at: timeColumn.nullable(),
    attempts_before: z.number(),
  })
  .transform(({ output_bytes, started_at, attempts_before, ...rest }): TaskResult => ({
    ...rest,
    outputBytes: output_bytes,
    startedAt: started_at,
    attemptsBefore: attempts_before,
  }));

/** All tasks of a run by position, to rebuild it in the queue. Outputs stay JSON text: they only pass through. */
export async function taskResults(db: Database, runId: string): Promise<TaskResult[]> {
  const rows = await db.query(TASK_RESULTS, [runId]);
  return rows.map((row) => resultSchema.parse(row));
}
