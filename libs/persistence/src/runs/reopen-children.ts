import type { TaskStatus } from '@lattice/contracts';
import { z } from 'zod';
import { taskStatusColumn } from '../columns';
import type { Database, Session } from '../database';
import { prepared } from '../statements';
import type { Parent } from './children';

const MISSING = prepared('missing-children');
const UNDONE = prepared('undone-children');
const REOPEN = prepared('reopen-children');
const FORGET_ROUNDS = prepared('forget-rounds');

/** A child that failed or was cancelled before an attempt of its parent. */
export interface UndoneChild {
  readonly runId: string;
  readonly epoch: number;
  readonly documentSha: string;
  /** Its tasks that did not complete. */
  readonly tasks: readonly { readonly key: string; readonly status: TaskStatus }[];
}

/** A task that starts its runs anew with its next attempt. */
export interface AnewTask {
  readonly runId: string;
  readonly key: string;
}

const placeSchema = z.object({ index: z.number() });
const undoneSchema = z
  .object({
    run_id: z.string(),
    epoch: z.number(),
    document_sha: z.string(),
    tasks: z.array(z.tuple([z.string(), taskStatusColumn])),
  })
  .transform(({ run_id, epoch, document_sha, tasks }): UndoneChild => ({
    runId: run_id,
    epoch,
    documentSha: document_sha,
    tasks: tasks.map(([key, status]) => ({ key, status })),
  }));

/** Places before `next` that an attempt is yet to do, in order: their children failed or were cancelled before it, or are gone. */
export async function missingChildren(
  db: Database,
  parent: Parent,
  { since, next, limit }: { since: number; next: number; limit: number },
): Promise<number[]> {
  const rows = await db.query(MISSING, [parent.runId, parent.taskKey, since, parent.attempt, next, limit]);
  return rows.map((row) => placeSchema.parse(row).index);
}

/** Children of a task at some places that failed or were cancelled before an attempt of it. */
export async function undoneChildren(
  db: Database,
  parent: Parent,
  { since, indexes }: { since: number; indexes: readonly number[] },
): Promise<UndoneChild[]> {
  const rows = await db.query(UNDONE, [parent.runId, parent.taskKey, since, parent.attempt, indexes]);
  return rows.map((row) => undoneSchema.parse(row));
}

/** Opens children again for an attempt of their parent: what completed of them is kept. `anew` are tasks of theirs that keep no rounds. */
export async function reopenChildren(
  db: Database,
  { attempt, children, anew }: { attempt: number; children: readonly UndoneChild[]; anew: readonly AnewTask[] },
): Promise<void> {
  await db.transaction(async (session) => {
    await forgetRounds(session, anew);
    await session.query(REOPEN, [children.map(({ runId }) => runId), children.map(({ epoch }) => epoch), attempt]);
  });
}

/** The runs that these tasks have started count no more: the next attempt starts them anew. */
export async function forgetRounds(session: Session, tasks: readonly AnewTask[]): Promise<void> {
  if (tasks.length === 0) return;
  await session.query(FORGET_ROUNDS, [tasks.map(({ runId }) => runId), tasks.map(({ key }) => key)]);
}
