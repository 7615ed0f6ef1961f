import { runIdSchema, type RunStatus } from '@lattice/contracts';
import { z } from 'zod';
import { runStatusColumn } from '../columns';
import type { Database, Session } from '../database';
import { prepared } from '../statements';
import { storedRunSchema, type StoredRun } from './stored-run';

const GET_RUN_STATE = prepared('get-run-state');
const LIST_ACTIVE_RUNS = prepared('list-active-runs');
const LIST_QUEUED_RUNS = prepared('list-queued-runs');
const RAISE_RUN_EPOCH = prepared('raise-run-epoch');
const REOPEN_RUN = prepared('reopen-run');
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** What must be known of a run to act on it. */
export interface RunState {
  runId: string;
  status: RunStatus;
  epoch: number;
  documentSha: string;
  workflow: string;
}

const stateSchema = z.object({
  status: runStatusColumn,
  epoch: z.number(),
  document_sha: z.string(),
  workflow: z.string(),
});
const epochSchema = z.object({ epoch: z.number() });

/** State of a run, without its tasks and data; undefined when there is none of this id. */
export async function getRunState(db: Database, runId: string): Promise<RunState | undefined> {
  if (!runIdSchema.safeParse(runId).success) return undefined;
  const [row] = await db.query(GET_RUN_STATE, [runId]);
  if (row === undefined) return undefined;
  const state = stateSchema.parse(row);
  return {
    runId,
    status: state.status,
    epoch: state.epoch,
    documentSha: state.document_sha,
    workflow: state.workflow,
  };
}

/** Runs that have not ended, oldest first; `after` is the last id of the page before. */
export async function listActiveRuns(
  db: Database,
  options: { after?: string | undefined; limit: number },
): Promise<StoredRun[]> {
  const rows = await db.query(LIST_ACTIVE_RUNS, [options.after ?? FIRST_ID, options.limit]);
  return rows.map((row) => storedRunSchema.parse(row));
}

/** Runs that have not ended and are in the queue, or should be; oldest first, `after` as in {@link listActiveRuns}. */
export async function listQueuedRuns(
  db: Database,
  options: { after?: string | undefined; limit: number },
): Promise<StoredRun[]> {
  const rows = await db.query(LIST_QUEUED_RUNS, [options.after ?? FIRST_ID, options.limit]);
  return rows.map((row) => storedRunSchema.parse(row));
}

/** Raises the epoch of a run and returns it; undefined when the run has ended. */
export async function raiseRunEpoch(db: Database, runId: string): Promise<number | undefined> {
  const [row] = await db.query(RAISE_RUN_EPOCH, [runId]);
  return row === undefined ? undefined : epochSchema.parse(row).epoch;
}

/**
 * Opens a run that has ended for a rerun and returns its new epoch. The tasks named (all that did not complete, when `tasks` is
 * absent) are pending again, with their attempts counted on; the others keep what they came to. Undefined when the run has not
 * ended, or when its epoch is another.
 */
export async function reopenRun(
  session: Session,
  run: { runId: string; epoch: number; tasks?: readonly string[] | undefined },
): Promise<number | undefined> {
  const [row] = await session.query(REOPEN_RUN, [run.runId, run.epoch, run.tasks ?? null]);
  return row === undefined ? undefined : epochSchema.parse(row).epoch;
}
