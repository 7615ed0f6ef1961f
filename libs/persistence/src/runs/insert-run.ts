import type { OnFailure, WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';
import type { Session } from '../database';
import { violates } from '../refusals';
import { prepared } from '../statements';

const INSERT_RUN = prepared('insert-run');
const FIND_KEY = prepared('find-idempotency-key');
const PURGE_KEYS = prepared('purge-idempotency-keys');
/** A key may expire between two looks at it; twice in a row is not chance. */
const TRIES = 3;

/** A run to be stored. */
export interface NewRun {
  /** UUIDv7, made by the caller. The same id again is answered with `repeated`, so that a caller may try again. */
  runId: string;
  workflow: string;
  /** Null when the document came with the submission. */
  version: number | null;
  documentSha: string;
  /** Stored when its sha is new. */
  document: WorkflowDocument;
  priority: number;
  onFailure: OnFailure;
  tags: readonly string[];
  inputs: Record<string, unknown>;
  /** Milliseconds from now until the run may start; default 0. */
  delayMs?: number | undefined;
  /** Milliseconds for which nobody but the caller sends it to the queue; default 0. */
  graceMs?: number | undefined;
  /** Milliseconds from now until it has to have ended; never when absent. */
  deadlineMs?: number | undefined;
  /** `position` is the place of the task in lists, from 0. */
  tasks: readonly { key: string; position: number }[];
  /** Valid for 24 hours within the API key that sent it. `bodySha` tells a repeat from another request. */
  idempotency?: { key: string; apiKeyId: string; bodySha: string } | undefined;
  /** The schedule that makes it, and the tick (ISO 8601), null when it is triggered by hand. A tick can have one run only. */
  schedule?: { name: string; tick: string | null } | undefined;
}

/** `repeated`: the run existed. `conflict`: the idempotency key stands for a run of another body. */
export type InsertedRun = { status: 'created' | 'repeated'; runId: string } | { status: 'conflict' };

const heldSchema = z.object({ run_id: z.string(), body_sha: z.string() });

/**
 * Stores a run, its document, its tasks, its idempotency key and the outbox row that will queue it, in one statement.
 * Of equal idempotency keys sent at once exactly one creates a run.
 */
export async function insertRun(db: Session, run: NewRun): Promise<InsertedRun> {
  for (let left = TRIES; left > 0; left -= 1) {
    const outcome = await tryInsert(db, run);
    if (outcome === 'stored') return { status: 'created', runId: run.runId };
    if (outcome === 'known' || run.idempotency === undefined) return { status: 'repeated', runId: run.runId };
    const held = await heldRun(db, run.idempotency);
    if (held !== undefined) return held;
  }
  throw new Error(
    `Idempotency key "${run.idempotency?.key}" is neither free nor in use; was the clock of Postgres moved?`,
  );
}

/** What an idempotency key that is in use comes to; undefined when it has just become free. */
export async function heldRun(
  db: Session,
  idempotency: NonNullable<NewRun['idempotency']>,
): Promise<InsertedRun | undefined> {
  const [row] = await db.query(FIND_KEY, [idempotency.key, idempotency.apiKeyId]);
  if (row === undefined) return undefined;
  const held = heldSchema.parse(row);
  return held.body_sha === idempotency.bodySha ? { status: 'repeated', runId: held.run_id } : { status: 'conflict' };
}

/** `known`: a run of this id is stored already. `held`: the idempotency key is in use. */
async function tryInsert(db: Session, run: NewRun): Promise<'stored' | 'known' | 'held'> {
  try {
    const rows = await db.query(INSERT_RUN, [
      run.runId,
      run.workflow,
      run.version,
      run.documentSha,
      JSON.stringify(run.document),
      run.document.name,
      run.priority,
      run.onFailure,
      run.tags,
      JSON.stringify(run.inputs),
      run.delayMs ?? 0,
      run.tasks.map((task) => task.key),
      run.tasks.map((task) => task.position),
      run.idempotency?.key ?? null,
      run.idempotency?.apiKeyId ?? null,
      run.idempotency?.bodySha ?? null,
      run.schedule?.name ?? null,
      run.schedule?.tick ?? null,
      run.deadlineMs ?? null,
      run.graceMs ?? 0,
    ]);
    return rows.length > 0 ? 'stored' : 'held';
  } catch (error) {
    if (violates(error, 'runs_pkey')) return 'known';
    throw error;
  }
}

/** Removes idempotency keys older than 24 hours. */
export async function purgeIdempotencyKeys(db: Session): Promise<void> {
  await db.query(PURGE_KEYS);
}
