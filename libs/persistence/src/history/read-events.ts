import { EVENTS, isTaskKey, runIdSchema, type LogEntry, type RunEvent } from '@lattice/contracts';
import { z } from 'zod';
import { bigintColumn, objectColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { planned, prepared } from '../statements';
import { readWatermark } from './watermark';

const READ_EVENTS = prepared('read-events');
const LAST_EVENT_ID = prepared('last-event-id');
const READ_LOGS = planned('read-logs');
const START = '0';

const eventSchema = z
  .object({
    id: bigintColumn,
    type: z.string(),
    run_id: z.string(),
    task_key: z.string().nullable(),
    attempt: z.number().nullable(),
    at: timeColumn,
    data: objectColumn,
  })
  .transform((row): RunEvent => {
    const { id, type, run_id, task_key, attempt, at, data } = row;
    return { id, type, runId: run_id, taskKey: task_key, attempt, at, data };
  });
const logSchema = z
  .object({ id: bigintColumn, attempt: z.number().nullable(), at: timeColumn, data: EVENTS['task.log'] })
  .transform(({ id, attempt, at, data }): LogEntry => ({ id, attempt: attempt ?? 0, ...data, at }));
const idSchema = z.object({ id: bigintColumn });

/** Events of a run after the event `afterId` (a number as text), in the order of their commits. */
export async function readEvents(
  db: Database,
  query: { runId: string; afterId?: string | undefined; limit: number },
): Promise<RunEvent[]> {
  if (!runIdSchema.safeParse(query.runId).success) return [];
  const rows = await db.query(READ_EVENTS, [query.runId, query.afterId ?? START, query.limit]);
  return rows.map((row) => eventSchema.parse(row));
}

/** Id of the last event committed, of a run or of all; `0` when there is none. */
export async function lastEventId(db: Database, runId?: string): Promise<string> {
  if (runId === undefined) return (await readWatermark(db)).lastEventId;
  const [row] = await db.query(LAST_EVENT_ID, [runId]);
  return idSchema.parse(row).id;
}

/** Log entries of a task after the entry `after` (a number as text), in order; of one attempt or of all. */
export async function readLogs(
  db: Database,
  query: {
    runId: string;
    taskKey: string;
    attempt?: number | undefined;
    after?: string | undefined;
    limit: number;
  },
): Promise<LogEntry[]> {
  if (!runIdSchema.safeParse(query.runId).success || !isTaskKey(query.taskKey)) return [];
  const params = [query.runId, query.taskKey, query.attempt ?? null, query.after ?? START, query.limit];
  return (await db.query(READ_LOGS, params)).map((row) => logSchema.parse(row));
}
