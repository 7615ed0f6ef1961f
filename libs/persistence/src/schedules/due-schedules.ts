import type { ScheduleError } from '@lattice/contracts';
import { z } from 'zod';
import type { Session } from '../database';
import { prepared } from '../statements';
import { storedScheduleSchema, type StoredSchedule } from './stored-schedule';

const CLAIM = prepared('claim-schedule');
const ADVANCE = prepared('advance-schedule');
const NEXT = prepared('next-schedule');
const NOTE_ERROR = prepared('note-schedule-error');
const FIND_TICK_RUN = prepared('find-tick-run');

const runRow = z.object({ run_id: z.string() });
const waitRow = z.object({ wait: z.number() });

/** What became of the ticks of a schedule. */
export interface ScheduleProgress {
  name: string;
  /** Milliseconds since 1970. */
  handledUntil: number;
  nextAt: number | null;
  /** The last tick that made a run, in milliseconds since 1970, and its run; undefined when none did. */
  last?: { at: number; runId: string } | undefined;
  missed: number;
  skipped: number;
  failed: number;
  error?: ScheduleError | undefined;
}

/** The schedule that has been due for longest, locked until the transaction of the session ends; undefined when none is free. */
export async function claimSchedule(session: Session, except: readonly string[]): Promise<StoredSchedule | undefined> {
  const [row] = await session.query(CLAIM, [except]);
  return row === undefined ? undefined : storedScheduleSchema.parse(row);
}

/** Writes down what became of the ticks of a schedule that is locked. */
export async function advanceSchedule(session: Session, progress: ScheduleProgress): Promise<void> {
  const { last, error } = progress;
  await session.query(ADVANCE, [
    progress.name,
    new Date(progress.handledUntil),
    progress.nextAt === null ? null : new Date(progress.nextAt),
    last === undefined ? null : new Date(last.at),
    last?.runId ?? null,
    progress.missed,
    progress.skipped,
    progress.failed,
    error === undefined ? null : JSON.stringify(error),
  ]);
}

/** Writes down why a schedule that is due can't be dealt with now; its ticks stay due. */
export async function noteScheduleError(session: Session, name: string, error: ScheduleError): Promise<void> {
  await session.query(NOTE_ERROR, [name, JSON.stringify(error)]);
}

/** Milliseconds until the next schedule is due, 0 when one is, null when none is to come. */
export async function nextSchedule(session: Session, except: readonly string[]): Promise<number | null> {
  const [row] = await session.query(NEXT, [except]);
  return row === undefined ? null : waitRow.parse(row).wait;
}

/** The run that a schedule made for a tick (ISO 8601); undefined when it made none. */
export async function findTickRun(session: Session, name: string, tick: string): Promise<string | undefined> {
  const [row] = await session.query(FIND_TICK_RUN, [name, tick]);
  return row === undefined ? undefined : runRow.parse(row).run_id;
}
