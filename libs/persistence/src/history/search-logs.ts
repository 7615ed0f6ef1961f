import { EVENTS, isTaskKey, runIdSchema, type RunLogEntry } from '@lattice/contracts';
import { z } from 'zod';
import { bigintColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { planned } from '../statements';

const SEARCH_LOGS = planned('search-logs');

const rowSchema = z
  .object({
    id: bigintColumn,
    task_key: z.string(),
    attempt: z.number().nullable(),
    at: timeColumn,
    data: EVENTS['task.log'],
  })
  .transform(({ id, task_key, attempt, at, data }): RunLogEntry => ({
    id,
    taskKey: task_key,
    attempt: attempt ?? 0,
    ...data,
    at,
  }));

/** Log entries of a run after the entry `after` (a number as text), in order: those that hold the text `q` in letters of any case. */
export async function searchLogs(
  db: Database,
  query: {
    runId: string;
    taskKey?: string | undefined;
    q?: string | undefined;
    after?: string | undefined;
    limit: number;
  },
): Promise<RunLogEntry[]> {
  const { runId, taskKey, limit } = query;
  if (!runIdSchema.safeParse(runId).success || (taskKey !== undefined && !isTaskKey(taskKey))) return [];
  const text = query.q?.toLowerCase();
  const json = query.q === undefined ? null : JSON.stringify(query.q).slice(1, -1);
  const found: RunLogEntry[] = [];
  for (let after = query.after ?? '0'; ;) {
    const rows = (await db.query(SEARCH_LOGS, [runId, after, taskKey ?? null, json, limit])).map((row) =>
      rowSchema.parse(row),
    );
    // The JSON holds more than the text: the name of the stream, for one.
    found.push(...rows.filter((entry) => text === undefined || entry.text.toLowerCase().includes(text)));
    const last = rows.at(-1);
    if (found.length >= limit) return found.slice(0, limit);
    if (last === undefined || rows.length < limit) return found;
    after = last.id;
  }
}
