import { z } from 'zod';
import type { Session } from '../database';
import { violates } from '../refusals';
import { prepared } from '../statements';
import { heldRun, type InsertedRun, type NewRun } from './insert-run';

const FORK_RUN = prepared('fork-run');
/** A key may expire between two looks at it; twice in a row is not chance. */
const TRIES = 3;

/** A run that goes on from another one. */
export interface NewFork {
  /** UUIDv7, made by the caller. */
  runId: string;
  /** The run it goes on from, as it was when the caller decided what is reused. */
  source: { runId: string; epoch: number };
  /** Tasks that keep what they came to in the source: they have ended there. */
  reused: readonly string[];
  inputs: Record<string, unknown>;
  idempotency?: NewRun['idempotency'];
}

const rowSchema = z.object({ stored: z.boolean(), found: z.boolean() });

/**
 * Stores a fork with its tasks, copies of the results it reuses, and the outbox row that will queue it, in one statement.
 * `changed`: the source is gone, or was opened again in the meantime.
 */
export async function forkRun(db: Session, fork: NewFork): Promise<InsertedRun | { status: 'changed' }> {
  for (let left = TRIES; left > 0; left -= 1) {
    const outcome = await tryFork(db, fork);
    if (outcome === 'stored') return { status: 'created', runId: fork.runId };
    if (outcome === 'changed') return { status: 'changed' };
    if (outcome === 'known' || fork.idempotency === undefined) return { status: 'repeated', runId: fork.runId };
    const held = await heldRun(db, fork.idempotency);
    if (held !== undefined) return held;
  }
  throw new Error(
    `Idempotency key "${fork.idempotency?.key}" is neither free nor in use; was the clock of Postgres moved?`,
  );
}

/** `known`: a run of this id is stored already. `held`: the idempotency key is in use. */
async function tryFork(db: Session, fork: NewFork): Promise<'stored' | 'known' | 'held' | 'changed'> {
  try {
    const [row] = await db.query(FORK_RUN, [
      fork.runId,
      fork.source.runId,
      fork.source.epoch,
      fork.reused,
      JSON.stringify(fork.inputs),
      fork.idempotency?.key ?? null,
      fork.idempotency?.apiKeyId ?? null,
      fork.idempotency?.bodySha ?? null,
    ]);
    const { stored, found } = rowSchema.parse(row);
    if (stored) return 'stored';
    return found ? 'held' : 'changed';
  } catch (error) {
    if (violates(error, 'runs_pkey')) return 'known';
    throw error;
  }
}
