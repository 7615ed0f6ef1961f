import type { WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';
import { bigintColumn } from '../columns';
import type { Database, Row, Session } from '../database';
import { storedRunSchema, type StoredRun } from '../runs/stored-run';
import { planned, prepared, type Statement } from '../statements';
import { readDocuments } from '../workflows/documents';

// Planned each time by the size that the table has now: it goes from nothing to 100,000 rows within a second, and a plan kept
// from when it was small reads all of it for each batch.
const CLAIM = planned('claim-outbox');
const CLAIM_ORDERS = planned('claim-orders');
const SETTLE = planned('settle-outbox');
const INSERT = prepared('insert-outbox');
const INSERT_TIMER = prepared('insert-task-timer');
const NEXT_DUE = prepared('next-due');
const LAST_ORDER = prepared('last-order');
const TIDY = prepared('tidy-outbox');
const AWAITS_SENDING = prepared('awaits-sending');
const AWAITS_ITS_TIME = prepared('awaits-its-time');
const DELETE_SENT = prepared('delete-sent');
const HASTEN_SENDING = prepared('hasten-sending');

/** Something decided that is not yet in the queue. */
export interface OutboxRow {
  id: string;
  /** `run` for a new run; others are named by whoever inserts them. */
  kind: string;
  runId: string;
  payload: unknown;
  /** Null when the run is gone. */
  run: StoredRun | null;
  /** Of rows of kind `run`; shared with other rows and calls: don't change it. */
  document: WorkflowDocument | null;
}

/** What became of claimed rows. A row that is in neither list is due again at once. */
export interface OutboxVerdict {
  done: readonly string[];
  /** Rows that failed, to be tried again after a delay in milliseconds. */
  later?: readonly { id: string; delayMs: number }[] | undefined;
}

const claimedSchema = z.object({ id: bigintColumn, kind: z.string(), run_id: z.string(), payload: z.unknown() });
const unsentSchema = z.object({ run_id: z.string() });
const waitSchema = z.object({ wait: z.number() });
const orderSchema = z.object({ kind: z.enum(['pause', 'resume']) });
const awaitsSchema = z.object({ awaits: z.boolean() });

/**
 * Gives up to `limit` due rows to `fn`, removes those it names as done, and commits. No other claim sees the rows meanwhile.
 * When `fn` throws, or the process dies, all rows stay: what `fn` does must bear repetition. `fn` has 60 s between two
 * statements before Postgres ends the transaction, so it must have time limits of its own. Returns how many rows there were.
 */
export async function claimOutbox(
  db: Database,
  limit: number,
  fn: (rows: OutboxRow[]) => Promise<OutboxVerdict>,
): Promise<number> {
  return claimBy(CLAIM, db, { limit, fn });
}

/** {@link claimOutbox} of the rows that control runs alone: to cancel, pause or resume them. */
export async function claimOrders(
  db: Database,
  limit: number,
  fn: (rows: OutboxRow[]) => Promise<OutboxVerdict>,
): Promise<number> {
  return claimBy(CLAIM_ORDERS, db, { limit, fn });
}

async function claimBy(
  statement: Statement,
  db: Database,
  { limit, fn }: { limit: number; fn: (rows: OutboxRow[]) => Promise<OutboxVerdict> },
): Promise<number> {
  return db.transaction(
    async (session) => {
      const claimed = await session.query(statement, [limit]);
      if (claimed.length === 0) return 0;
      const verdict = await fn(await withDocuments(db, session, claimed));
      const later = verdict.later ?? [];
      await session.query(SETTLE, [verdict.done, later.map((row) => row.id), later.map((row) => row.delayMs)]);
      return claimed.length;
    },
    // Rows that come back after a crash are sent again, which changes nothing.
    { relaxed: true },
  );
}

async function withDocuments(db: Database, session: Session, claimed: Row[]): Promise<OutboxRow[]> {
  const rows = claimed.map((row) => ({
    ...claimedSchema.parse(row),
    run: row['status'] === null ? null : storedRunSchema.parse(row),
  }));
  const shas = rows.flatMap(({ kind, run }) => (kind === 'run' && run !== null ? [run.documentSha] : []));
  const documents = await readDocuments(db, shas, session);
  return rows.map(({ id, kind, run_id, payload, run }) => ({
    id,
    kind,
    runId: run_id,
    payload,
    run,
    document: (kind === 'run' && run !== null && documents.get(run.documentSha)) || null,
  }));
}

/** Adds an outbox row; `delayMs` from now until it is due, default 0. */
export async function insertOutbox(
  session: Session,
  entry: { kind: string; runId: string; payload?: unknown; delayMs?: number | undefined },
): Promise<void> {
  const payload = entry.payload === undefined ? null : JSON.stringify(entry.payload);
  await session.query(INSERT, [entry.kind, entry.runId, payload, entry.delayMs ?? 0]);
}

/** Adds an outbox row about one task, due after `delayMs`; changes nothing when there is one of this kind, task and epoch. */
export async function insertTaskTimer(
  session: Session,
  entry: { kind: string; runId: string; payload: { taskKey: string; epoch: number }; delayMs: number },
): Promise<void> {
  await session.query(INSERT_TIMER, [entry.kind, entry.runId, JSON.stringify(entry.payload), entry.delayMs]);
}

/** The last that was asked of a run, and not yet done, of pausing and resuming it; undefined when nothing is on its way. */
export async function lastOrder(db: Database, runId: string): Promise<'pause' | 'resume' | undefined> {
  const [row] = await db.query(LAST_ORDER, [runId]);
  return row === undefined ? undefined : orderSchema.parse(row).kind;
}

/** Milliseconds until the next outbox row is due, 0 when one is (another claim may hold it), null when there is none. */
export async function nextDue(db: Database): Promise<number | null> {
  const [row] = await db.query(NEXT_DUE);
  return row === undefined ? null : waitSchema.parse(row).wait;
}

/**
 * Deletes the timers of those of the runs that have ended. Gives those whose outbox row still stands, though they may be in the queue:
 * they will be sent once more.
 */
export async function tidyOutbox(db: Database, runIds: readonly string[]): Promise<Set<string>> {
  if (runIds.length === 0) return new Set();
  const rows = await db.query(TIDY, [runIds]);
  return new Set(rows.map((row) => unsentSchema.parse(row).run_id));
}

/** Removes the outbox rows of runs that were stored with a grace and are in the queue. */
export async function deleteSent(db: Session, runIds: readonly string[]): Promise<void> {
  await db.query(DELETE_SENT, [runIds]);
}

/** Ends the grace of a run: it is to be sent by whoever looks into the outbox next. */
export async function hastenSending(db: Session, runId: string): Promise<void> {
  await db.query(HASTEN_SENDING, [runId]);
}

/** True when the outbox row that sends the run is there, whether its time has come or not. */
export async function awaitsSending(db: Database, runId: string): Promise<boolean> {
  const [row] = await db.query(AWAITS_SENDING, [runId]);
  return awaitsSchema.parse(row).awaits;
}

/** True when a run was delayed, or waits for a limit, and its time has not come: whoever sends it then is still to come by. */
export async function awaitsItsTime(db: Database, runId: string): Promise<boolean> {
  const [row] = await db.query(AWAITS_ITS_TIME, [runId]);
  return awaitsSchema.parse(row).awaits;
}
