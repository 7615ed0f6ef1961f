import { type ScheduleSummary, type ScheduleView, timingSchema, faultsOf } from '@lattice/contracts';
import { currentTime, getSchedule, getScheduleDocument, listSchedules } from '@lattice/persistence';
import { nextTicks, readTiming } from '@lattice/schedule';
import type { Engine } from '../context';
import { parseJsonBody } from '../submit/parse-json';
import { invalidSchedule } from './read-body';
import { noSuchSchedule, summaryOf, viewOf } from './schedule-view';

/** A schedule with its inputs and, if it came with one, its document; throws `schedule_not_found`. */
export async function readSchedule(engine: Engine, name: string): Promise<ScheduleView> {
  const schedule = await getSchedule(engine.db, name);
  if (schedule === undefined) throw noSuchSchedule(name);
  const document = schedule.documentSha === null ? null : await getScheduleDocument(engine.db, name);
  return viewOf(schedule, document);
}

/** A page of schedules by name. */
export async function readSchedules(
  engine: Engine,
  options: { after?: string | undefined; limit: number },
): Promise<{ schedules: ScheduleSummary[]; next: string | null }> {
  const { schedules, next } = await listSchedules(engine.db, options);
  return { schedules: schedules.map(summaryOf), next };
}

/** The next ticks of a schedule, also of a paused one (as if it went on now); throws `schedule_not_found`. */
export async function readNextTicks(engine: Engine, name: string, count: number): Promise<{ ticks: string[] }> {
  const schedule = await getSchedule(engine.db, name);
  if (schedule === undefined) throw noSuchSchedule(name);
  const from = schedule.paused ? schedule.now : schedule.handledUntil;
  return { ticks: nextTicks(schedule.cadence, from, count).map(iso) };
}

/** The next ticks of a timing that is not stored, in a JSON body; throws `unparsable`, `invalid_schedule`. */
export async function previewTicks(engine: Engine, text: string, count: number): Promise<{ ticks: string[] }> {
  const timing = timingSchema.safeParse(parseJsonBody(text));
  if (!timing.success) throw invalidSchedule(faultsOf(timing.error));
  const now = await currentTime(engine.db);
  const read = readTiming(timing.data, now);
  if (!read.ok) throw invalidSchedule(read.faults);
  return { ticks: nextTicks(read.cadence, now, count).map(iso) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
