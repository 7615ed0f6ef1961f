import { z } from 'zod';
import type { Session } from '../database';
import { prepared } from '../statements';
import { limiterColumns, type NewAdmission } from './admission';

const INSERT = prepared('insert-admissions');
const PEEK = prepared('peek-admissions');
const WAITING_RUNS = prepared('waiting-runs');
const WAITING_LIMITERS = prepared('waiting-limiters');
const END = prepared('end-admissions');
const BEGIN = prepared('begin-admissions');
const TIDY = prepared('tidy-admissions');

const nameSchema = z.object({ name: z.string() });
const runSchema = z.object({ run_id: z.string() });
const peekedSchema = z.object({
  run_id: z.string(),
  waiting_on: z.string(),
  concurrency: z.string().nullable(),
  rate: z.string().nullable(),
  fair: z.string().nullable(),
});
const leftSchema = z.object({ left: z.boolean() });

/** A run that is next before a limiter, and the names of all its limiters. */
export interface PeekedRun {
  readonly runId: string;
  readonly waitingOn: string;
  readonly limiters: readonly string[];
}

/** Puts runs before their limiters. Those that are there already stay as they are, but for reruns. */
export async function insertAdmissions(session: Session, runs: readonly NewAdmission[]): Promise<void> {
  const columns = runs.map((run) => limiterColumns(run.limiters));
  await session.query(INSERT, [
    runs.map(({ runId }) => runId),
    runs.map(({ epoch }) => epoch),
    runs.map(({ kind }) => kind),
    runs.map(({ priority }) => priority),
    columns.map(({ concurrency }) => concurrency[0]),
    columns.map(({ concurrency }) => concurrency[1]),
    runs.map(({ limiters }) => limiters.concurrency?.policy ?? null),
    columns.map(({ rate }) => rate[0]),
    columns.map(({ rate }) => rate[1]),
    columns.map(({ rate }) => rate[2]),
    columns.map(({ fair }) => fair[0]),
    columns.map(({ fair }) => fair[1]),
    runs.map(({ waitingOn }) => waitingOn.name),
    runs.map(({ waitingOn }) => waitingOn.reason),
    runs.map(({ payload }) => (payload === null || payload === undefined ? null : JSON.stringify(payload))),
  ]);
}

/** The runs that are next before some limiters, up to `most` of each. */
export async function peekAdmissions(
  session: Session,
  limiters: readonly string[],
  most: number,
): Promise<PeekedRun[]> {
  const rows = await session.query(PEEK, [limiters, most]);
  return rows.map((row) => {
    const { run_id, waiting_on, concurrency, rate, fair } = peekedSchema.parse(row);
    return {
      runId: run_id,
      waitingOn: waiting_on,
      limiters: [concurrency, rate, fair].filter((name) => name !== null),
    };
  });
}

/** Those of some runs that wait for a limiter. */
export async function waitingRuns(session: Session, runIds: readonly string[]): Promise<Set<string>> {
  const rows = await session.query(WAITING_RUNS, [runIds]);
  return new Set(rows.map((row) => runSchema.parse(row).run_id));
}

/** A page of the names of limiters that runs wait for; `after` is the last one of the page before. */
export async function waitingLimiters(session: Session, after: string, limit: number): Promise<string[]> {
  return names(await session.query(WAITING_LIMITERS, [after, limit]));
}

/** Takes out those of some runs that have ended; returns the limiters that have room by that. */
export async function endAdmissions(session: Session, runIds: readonly string[]): Promise<string[]> {
  return names(await session.query(END, [runIds]));
}

/** Notes that an attempt of some runs was begun; returns the limiters that have room by that. */
export async function beginAdmissions(session: Session, runIds: readonly string[]): Promise<string[]> {
  return names(await session.query(BEGIN, [runIds]));
}

/** Makes good what nobody was told of. True when there are runs with limits. */
export async function tidyAdmissions(session: Session): Promise<boolean> {
  const [row] = await session.query(TIDY);
  return leftSchema.parse(row).left;
}

function names(rows: readonly unknown[]): string[] {
  return rows.map((row) => nameSchema.parse(row).name);
}
