import { documentSchema, scheduleNameSchema, type WorkflowDocument } from '@lattice/contracts';
import { z } from 'zod';
import type { Session } from '../database';
import { prepared } from '../statements';
import { storedScheduleSchema, type ScheduleDefinition, type StoredSchedule } from './stored-schedule';

const GET = prepared('get-schedule');
const LOCK = prepared('lock-schedule');
const LIST = prepared('list-schedules');
const GET_DOCUMENT = prepared('get-schedule-document');
const PUT = prepared('put-schedule');
const MOVE = prepared('move-schedule');
const DELETE = prepared('delete-schedule');
const NOTE_RUN = prepared('note-schedule-run');
const CURRENT_TIME = prepared('current-time');

const documentRow = z.object({ document: z.string().nullable() });
const timeRow = z.object({ now: z.date() });

/** A schedule; undefined when there is none of this name. */
export async function getSchedule(session: Session, name: string): Promise<StoredSchedule | undefined> {
  return readOne(session, GET, name);
}

/** {@link getSchedule}, locked until the transaction of the session ends. */
export async function lockSchedule(session: Session, name: string): Promise<StoredSchedule | undefined> {
  return readOne(session, LOCK, name);
}

async function readOne(session: Session, statement: typeof GET, name: string): Promise<StoredSchedule | undefined> {
  // Postgres refuses some texts; one that can't name a schedule names none.
  if (!scheduleNameSchema.safeParse(name).success) return undefined;
  const [row] = await session.query(statement, [name]);
  return row === undefined ? undefined : storedScheduleSchema.parse(row);
}

/** The document that came with a schedule; undefined when its workflow is a saved one, or the schedule is gone. */
export async function getScheduleDocument(session: Session, name: string): Promise<WorkflowDocument | undefined> {
  const [row] = await session.query(GET_DOCUMENT, [name]);
  const text = row === undefined ? null : documentRow.parse(row).document;
  return text === null ? undefined : documentSchema.parse(JSON.parse(text));
}

/** A page of schedules by name; `after` is `next` of the page before. */
export async function listSchedules(
  session: Session,
  options: { after?: string | undefined; limit: number },
): Promise<{ schedules: StoredSchedule[]; next: string | null }> {
  const rows = await session.query(LIST, [options.after ?? '', options.limit + 1]);
  const schedules = rows.slice(0, options.limit).map((row) => storedScheduleSchema.parse(row));
  return { schedules, next: rows.length > options.limit ? (schedules.at(-1)?.name ?? null) : null };
}

/** Stores a schedule, or replaces the one of its name; the counts and the last run of that one stay, its last error goes. */
export async function putSchedule(
  session: Session,
  schedule: ScheduleDefinition & { document: WorkflowDocument | null },
): Promise<StoredSchedule> {
  const [row] = await session.query(PUT, [
    schedule.name,
    schedule.workflow,
    schedule.version,
    schedule.documentSha,
    schedule.document === null ? null : JSON.stringify(schedule.document),
    JSON.stringify(schedule.inputs),
    schedule.priority,
    schedule.tags,
    JSON.stringify(schedule.cadence),
    schedule.catchUp,
    schedule.overlap,
    schedule.paused,
    new Date(schedule.handledUntil),
    dateOf(schedule.nextAt),
  ]);
  return storedScheduleSchema.parse(row);
}

/** Pauses a schedule or lets it go on, and says where its ticks go on; undefined when it is gone. */
export async function moveSchedule(
  session: Session,
  to: Pick<ScheduleDefinition, 'name' | 'paused' | 'handledUntil' | 'nextAt'>,
): Promise<StoredSchedule | undefined> {
  const [row] = await session.query(MOVE, [to.name, to.paused, new Date(to.handledUntil), dateOf(to.nextAt)]);
  return row === undefined ? undefined : storedScheduleSchema.parse(row);
}

/** Writes down a run that was triggered by hand. */
export async function noteScheduleRun(session: Session, name: string, runId: string): Promise<void> {
  await session.query(NOTE_RUN, [name, runId]);
}

/** Removes a schedule; its runs stay. False when there was none. */
export async function deleteSchedule(session: Session, name: string): Promise<boolean> {
  if (!scheduleNameSchema.safeParse(name).success) return false;
  return (await session.query(DELETE, [name])).length > 0;
}

/** The time of the database, in milliseconds since 1970: the clock that schedules go by. */
export async function currentTime(session: Session): Promise<number> {
  const [row] = await session.query(CURRENT_TIME);
  return timeRow.parse(row).now.getTime();
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
