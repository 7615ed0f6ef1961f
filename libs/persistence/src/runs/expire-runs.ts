import { z } from 'zod';
import type { Database } from '../database';
import { planned, prepared } from '../statements';
import { runIdAt } from './run-id-at';

const FIND_EXPIRED = planned('find-expired-runs');
const DELETE_EVENTS = prepared('delete-events');
const DELETE_RUNS = prepared('delete-runs');
/** Runs that one look goes through. */
const WINDOW = 5_000;
/** Tasks of the runs that one statement deletes; a run of more goes alone. */
const MOST_TASKS = 1_000;
const MOST_EVENTS = 10_000;

/** When runs of each end must have ended to be deleted; absent keeps them. */
export interface Expiry {
  completed?: Date | undefined;
  failed?: Date | undefined;
  cancelled?: Date | undefined;
}

const foundSchema = z.object({
  scanned: z.number(),
  last_scanned: z.string().nullable(),
  runs: z.array(z.tuple([z.string(), z.number()])),
});

/**
 * Looks through the next runs after a run id, oldest first, and deletes those that have expired with all that is kept of them,
 * in statements of bounded size. Returns how many were deleted and where to go on; `next` is undefined at the end.
 */
export async function expireRuns(
  db: Database,
  expiry: Expiry,
  after?: string,
): Promise<{ deleted: number; next: string | undefined }> {
  const { completed = null, failed = null, cancelled = null } = expiry;
  const latest = Math.max(...[completed, failed, cancelled].map((time) => time?.getTime() ?? 0));
  const from = after ?? runIdAt(0, 'lowest');
  const [row] = await db.query(FIND_EXPIRED, [from, runIdAt(latest, 'highest'), WINDOW, completed, failed, cancelled]);
  const { scanned, last_scanned: last, runs } = foundSchema.parse(row);
  let deleted = 0;
  for (const ids of batchesOf(runs)) deleted += await deleteRuns(db, ids);
  return { deleted, next: scanned < WINDOW || last === null ? undefined : last };
}

function batchesOf(runs: readonly (readonly [id: string, tasks: number])[]): string[][] {
  const batches: string[][] = [];
  let size = MOST_TASKS;
  for (const [id, tasks] of runs) {
    if (size + tasks > MOST_TASKS) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)?.push(id);
    size += tasks + 1;
  }
  return batches;
}

/** The events go first: a run that is half deleted when the process dies is found again. */
async function deleteRuns(db: Database, ids: readonly string[]): Promise<number> {
  for (;;) {
    const events = await db.query(DELETE_EVENTS, [ids, MOST_EVENTS]);
    if (events.length < MOST_EVENTS) break;
  }
  return (await db.query(DELETE_RUNS, [ids])).length;
}
