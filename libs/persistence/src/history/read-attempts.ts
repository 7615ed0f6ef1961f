import { z } from 'zod';
import { bigintColumn, objectColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { prepared } from '../statements';

const READ_ATTEMPTS = prepared('read-attempts');
const PAGE = 10_000;

const rowSchema = z.object({
  id: bigintColumn,
  task_key: z.string(),
  attempt: z.number(),
  type: z.enum(['task.started', 'task.retrying', 'task.completed', 'task.failed', 'task.cancelled']),
  at: timeColumn,
  data: objectColumn,
});
export type AttemptEvent = z.infer<typeof rowSchema>;

/** The events that begin and end attempts of a run, in order. */
export async function readAttempts(db: Database, runId: string): Promise<AttemptEvent[]> {
  const all: AttemptEvent[] = [];
  for (let after = '0'; ;) {
    const rows = (await db.query(READ_ATTEMPTS, [runId, after, PAGE])).map((row) => rowSchema.parse(row));
    all.push(...rows);
    if (rows.length < PAGE) return all;
    after = rows.at(-1)?.id ?? after;
  }
}
