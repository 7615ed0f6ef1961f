import { z } from 'zod';
import type { Session } from '../database';
import { planned, prepared } from '../statements';

const FIND = prepared('find-cached');
const STORE = prepared('store-cached');
const CLEAR = planned('clear-cached');
const PURGE = prepared('purge-cached');

const foundSchema = z.object({ run_id: z.string(), output: z.string() });
const clearedSchema = z.object({ cleared: z.number() });

/** A result that is kept. */
export interface CachedResult {
  /** JSON text. */
  readonly output: string;
  /** The run that did the work. */
  readonly runId: string;
}

/** The result of a key whose time is not over. */
export async function findCached(session: Session, key: string): Promise<CachedResult | undefined> {
  const [row] = await session.query(FIND, [key]);
  if (row === undefined) return undefined;
  const { run_id, output } = foundSchema.parse(row);
  return { runId: run_id, output };
}

/** Keeps a result for `ttlMs` milliseconds, in place of one that was there. */
export async function storeCached(
  session: Session,
  entry: CachedResult & { key: string; workflow: string; taskKey: string; ttlMs: number },
): Promise<void> {
  await session.query(STORE, [entry.key, entry.workflow, entry.taskKey, entry.runId, entry.output, entry.ttlMs]);
}

/** Forgets the results of a workflow, of a task, or all; returns how many could have been used. */
export async function clearCached(
  session: Session,
  filter: { workflow?: string | undefined; task?: string | undefined },
): Promise<number> {
  // Text in Postgres has no NUL, so nothing can match; asking would be an error.
  if (`${filter.workflow ?? ''}${filter.task ?? ''}`.includes('\0')) return 0;
  const [row] = await session.query(CLEAR, [filter.workflow ?? null, filter.task ?? null]);
  return clearedSchema.parse(row).cleared;
}

/** Forgets results whose time is over. */
export async function purgeCached(session: Session): Promise<void> {
  await session.query(PURGE);
}
