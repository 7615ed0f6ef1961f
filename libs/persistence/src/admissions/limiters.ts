import { z } from 'zod';
import { smallBigintColumn } from '../columns';
import type { Session } from '../database';
import { prepared } from '../statements';
import { limiterColumns, type LimiterKind, type Obstacle, type RunLimiters } from './admission';

const LOCK = prepared('lock-limiters');
const TAKE = prepared('take-admissions');
const STATES = prepared('limiter-states');
const REPLACE = prepared('replace-admissions');
const WRITE = prepared('write-admissions');
const RESERVE = prepared('reserve-admission');

/** Class of the advisory locks of limiters; the objects are hashes of their names. Equal hashes only wait for each other. */
const LIMITER_LOCKS = 4_127_004;

const takenSchema = z.object({
  run_id: z.string(),
  waiting_on: z.string(),
  concurrency: z.string().nullable(),
  concurrency_limit: z.number().nullable(),
  policy: z.enum(['queue', 'cancel-running', 'reject']).nullable(),
  rate: z.string().nullable(),
  rate_limit: z.number().nullable(),
  rate_ms: smallBigintColumn.nullable(),
  fair: z.string().nullable(),
  fair_limit: z.number().nullable(),
});
const stateSchema = z.object({ name: z.string(), used: z.number(), opens: z.number().nullable() });
const activeSchema = z.object({ active: z.number() });

/** A run that waits, with its limiters. */
export interface WaitingRun {
  readonly runId: string;
  readonly waitingOn: string;
  readonly limiters: RunLimiters;
}

/** A limiter whose state is asked for. */
export interface LimiterQuestion {
  readonly name: string;
  readonly kind: LimiterKind;
  readonly limit: number;
  readonly perMs?: number | undefined;
}

/** What is in use of a limiter; `opensMs` of a rate that is used up, until one more may start. */
export interface LimiterState {
  readonly used: number;
  readonly opensMs: number | null;
}

/** What becomes of runs that waited. */
export interface AdmissionVerdict {
  readonly admitted: readonly string[];
  /** Those of the admitted that the caller sends itself; the others get an outbox row. */
  readonly own: readonly string[];
  readonly moved: readonly { readonly runId: string; readonly to: Obstacle }[];
}

/** Locks limiters by their names until the end of the transaction. */
export async function lockLimiters(session: Session, names: readonly string[]): Promise<void> {
  await session.query(LOCK, [LIMITER_LOCKS, names]);
}

/** Those of some runs that still wait, in the order in which they are let in. */
export async function takeAdmissions(session: Session, runIds: readonly string[]): Promise<WaitingRun[]> {
  const rows = await session.query(TAKE, [runIds]);
  return rows.map((row) => {
    const { run_id, waiting_on, concurrency, concurrency_limit, policy, rate, rate_limit, rate_ms, fair, fair_limit } =
      takenSchema.parse(row);
    return {
      runId: run_id,
      waitingOn: waiting_on,
      limiters: {
        concurrency:
          concurrency === null
            ? undefined
            : { name: concurrency, limit: concurrency_limit ?? 1, policy: policy ?? 'queue' },
        rate: rate === null ? undefined : { name: rate, limit: rate_limit ?? 1, perMs: rate_ms ?? 0 },
        fair: fair === null ? undefined : { name: fair, limit: fair_limit ?? 1 },
      },
    };
  });
}

/** The states of limiters that the transaction has locked. */
export async function limiterStates(
  session: Session,
  questions: readonly LimiterQuestion[],
): Promise<Map<string, LimiterState>> {
  const rows = await session.query(STATES, [
    questions.map(({ name }) => name),
    questions.map(({ kind }) => kind),
    questions.map(({ limit }) => limit),
    questions.map(({ perMs }) => perMs ?? null),
  ]);
  return new Map(
    rows.map((row) => {
      const { name, used, opens } = stateSchema.parse(row);
      return [name, { used, opensMs: opens }];
    }),
  );
}

/** Asks for the cancellation of all runs of some locked concurrency limiters but the newest `limit` ones. */
export async function replaceOlder(
  session: Session,
  limiters: readonly { readonly name: string; readonly limit: number }[],
): Promise<void> {
  await session.query(REPLACE, [limiters.map(({ name }) => name), limiters.map(({ limit }) => limit)]);
}

/** Writes what was decided under the locks. */
export async function writeAdmissions(session: Session, { admitted, own, moved }: AdmissionVerdict): Promise<void> {
  await session.query(WRITE, [
    admitted,
    own,
    moved.map(({ runId }) => runId),
    moved.map(({ to }) => to.name),
    moved.map(({ to }) => to.reason),
  ]);
}

/**
 * Takes a place of a concurrency limiter for a run that was inserted in the same transaction. Returns how many runs had one
 * before; the place is taken when these are fewer than the limit. The next of its limiters is `waitingOn`.
 */
export async function reserveAdmission(
  session: Session,
  run: { runId: string; priority: number; limiters: RunLimiters; waitingOn: Obstacle | undefined },
): Promise<number> {
  const { concurrency, rate, fair } = limiterColumns(run.limiters);
  if (concurrency[0] !== null) await lockLimiters(session, [concurrency[0]]);
  const { waitingOn } = run;
  const [row] = await session.query(RESERVE, [
    run.runId,
    run.priority,
    ...concurrency,
    ...rate,
    ...fair,
    waitingOn?.name ?? null,
    waitingOn?.reason ?? null,
  ]);
  return activeSchema.parse(row).active;
}
