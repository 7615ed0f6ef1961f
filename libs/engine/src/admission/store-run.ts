import { LatticeError } from '@lattice/contracts';
import type { Workflow } from '@lattice/flow';
import {
  insertRun,
  reserveAdmission,
  type InsertedRun,
  type NewRun,
  type RunLimiters,
  type Session,
} from '@lattice/persistence';
import type { Engine } from '../context';
import { limitersIn, obstacleOf } from './decide-admission';
import { limitersOfNewRun } from './limiters';

/** Seconds after which one who was refused may try again. */
const RETRY_AFTER_S = 1;

/**
 * Stores a run. Where its workflow refuses runs above its concurrency limit, the place is taken in the same transaction. Throws
 * `concurrency_limit` when there is none, and `invalid_inputs` when a key of a limit can't be made from the inputs.
 */
export async function storeRun(engine: Engine, workflow: Workflow, run: NewRun): Promise<InsertedRun> {
  const limiters = limitersOfNewRun(workflow, run);
  if (!refuses(limiters)) return insertRun(engine.db, run);
  return engine.db.transaction((session) => insertWithPlace(session, limiters, run));
}

/** {@link storeRun} as a part of a transaction, which goes on when the run is refused. */
export async function storeRunWithin(session: Session, workflow: Workflow, run: NewRun): Promise<InsertedRun> {
  const limiters = limitersOfNewRun(workflow, run);
  if (!refuses(limiters)) return insertRun(session, run);
  await session.query('savepoint new_run');
  try {
    const inserted = await insertWithPlace(session, limiters, run);
    await session.query('release savepoint new_run');
    return inserted;
  } catch (error) {
    if (error instanceof LatticeError) await session.query('rollback to savepoint new_run');
    throw error;
  }
}

export type Refusing = RunLimiters & { readonly concurrency: NonNullable<RunLimiters['concurrency']> };

/** True when the workflow refuses runs above its concurrency limit. */
export function refuses(limiters: RunLimiters | undefined): limiters is Refusing {
  return limiters?.concurrency?.policy === 'reject';
}

/** Stores a run and takes its place; throws `concurrency_limit`, and then what it stored must be rolled back. */
async function insertWithPlace(session: Session, limiters: Refusing, run: NewRun): Promise<InsertedRun> {
  const inserted = await insertRun(session, run);
  // A repeat of an Idempotency-Key has its place.
  if (inserted.status === 'created') await takePlace(session, limiters, run);
  return inserted;
}

/**
 * Takes the place of a run that was stored in the same transaction. Throws `concurrency_limit` when there is none, and then what was stored
 * must be rolled back.
 */
export async function takePlace(
  session: Session,
  limiters: Refusing,
  run: Pick<NewRun, 'runId' | 'workflow' | 'priority'>,
): Promise<void> {
  const { concurrency } = limiters;
  const [, next] = limitersIn(limiters);
  const waitingOn = next === undefined ? undefined : obstacleOf(next);
  const { runId, priority } = run;
  const active = await reserveAdmission(session, { runId, priority, limiters, waitingOn });
  if (active < concurrency.limit) return;
  const message = `Workflow "${run.workflow}" allows ${concurrency.limit} active at once of these runs, and ${active} are.`;
  throw new LatticeError('concurrency_limit', message, { details: { retryAfter: RETRY_AFTER_S } });
}
