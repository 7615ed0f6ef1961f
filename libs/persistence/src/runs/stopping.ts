import { taskErrorSchema } from '@lattice/contracts';
import { z } from 'zod';
import type { Session } from '../database';
import { prepared } from '../statements';

const MARK = prepared('mark-stopping');
const FIND = prepared('find-stop');

const wishSchema = z.object({ reason: z.string(), error: taskErrorSchema.optional() });

/** How a run that is being stopped is to end: cancelled, or with an error failed. */
export type StopWish = z.infer<typeof wishSchema>;

const stopSchema = z.object({
  run_id: z.string(),
  stopping: wishSchema.nullable(),
  failed_task: z.string().nullable(),
});

/** Why a run is being stopped. `failed`: its task of this key has. `above`: this run above it is. */
export type Stop =
  | { readonly why: 'asked'; readonly wish: StopWish }
  | { readonly why: 'failed'; readonly taskKey: string }
  | { readonly why: 'above'; readonly runId: string };

/**
 * Notes that a run is being stopped; the first wish stands, until the run is opened again. False when it has ended, or somebody is
 * writing to it at this moment: try again then.
 */
export async function markStopping(session: Session, runId: string, wish: StopWish): Promise<boolean> {
  return (await session.query(MARK, [runId, JSON.stringify(wish)])).length > 0;
}

/** Whether, and why, a run that has not ended is being stopped. */
export async function findStop(session: Session, runId: string): Promise<Stop | undefined> {
  const [row] = await session.query(FIND, [runId]);
  if (row === undefined) return undefined;
  const { run_id, stopping, failed_task } = stopSchema.parse(row);
  if (run_id !== runId) return { why: 'above', runId: run_id };
  if (stopping !== null) return { why: 'asked', wish: stopping };
  return failed_task === null ? undefined : { why: 'failed', taskKey: failed_task };
}
