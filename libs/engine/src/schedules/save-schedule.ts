import { fault, type Cadence, type ScheduleView, type WorkflowDocument } from '@lattice/contracts';
import {
  currentTime,
  getScheduleDocument,
  lockSchedule,
  putSchedule,
  type ScheduleDefinition,
  type Session,
  type StoredSchedule,
} from '@lattice/persistence';
import { nextTick } from '@lattice/schedule';
import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../context';
import { parseJsonBody } from '../submit/parse-json';
import type { DocumentCache } from '../workflows/document-cache';
import { invalidSchedule, readScheduleBody, type ReadSchedule } from './read-body';
import { noSuchSchedule, viewOf } from './schedule-view';
import { wakeSchedules } from './wake-schedules';

/** Of a body that can't even name a schedule. */
const NAMELESS = '';

/**
 * Stores the schedule of a JSON body, or replaces the one of its name. A replaced one keeps its counts, whether it is paused
 * (unless the body says), and, when its timing is the same, its place: no tick comes twice or is lost.
 * Throws `unparsable`, `invalid_schedule`.
 */
export async function saveSchedule(
  engine: Engine,
  { text, documents }: { text: string; documents: DocumentCache },
): Promise<{ schedule: ScheduleView; created: boolean }> {
  const body = objectOf(parseJsonBody(text));
  const name = typeof body['name'] === 'string' ? body['name'] : NAMELESS;
  const saved = await engine.db.transaction(async (session) => {
    const known = await lockSchedule(session, name);
    const stored = await store(engine, session, { body, documents, known });
    return { schedule: stored, created: known === undefined };
  });
  wakeSchedules(engine);
  return saved;
}

/**
 * Changes the fields of a schedule that a JSON body names. `cron`, `every` and `at` replace each other, a workflow replaces the
 * version too. Throws `unparsable`, `invalid_schedule`, `schedule_not_found`.
 */
export async function changeSchedule(
  engine: Engine,
  { name, text, documents }: { name: string; text: string; documents: DocumentCache },
): Promise<ScheduleView> {
  const patch = objectOf(parseJsonBody(text));
  if ('name' in patch && patch['name'] !== name) {
    throw invalidSchedule([fault('bad_value', '/name', "a schedule can't be renamed: make another one")]);
  }
  const changed = await engine.db.transaction(async (session) => {
    const known = await lockSchedule(session, name);
    if (known === undefined) throw noSuchSchedule(name);
    const before = bodyOf(known, await getScheduleDocument(session, name));
    const body = { ...keep(before, patch), ...patch };
    return store(engine, session, { body, documents, known });
  });
  wakeSchedules(engine);
  return changed;
}

/** What of a body stays beside a patch of it. */
function keep(before: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const { version, cron, timezone, every, startAt, at, ...rest } = before;
  const other = (field: string): boolean => field in patch && !(field in before);
  const timing = other('cron') || other('every') || other('at') ? {} : { cron, timezone, every, startAt, at };
  const all = { ...rest, ...timing, ...('workflow' in patch ? {} : { version }) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

async function store(
  engine: Engine,
  session: Session,
  {
    body,
    documents,
    known,
  }: { body: Record<string, unknown>; documents: DocumentCache; known: StoredSchedule | undefined },
): Promise<ScheduleView> {
  const now = known?.now ?? (await currentTime(session));
  const read = await readScheduleBody(engine, { body, documents, now });
  const { submission, resolved } = read;
  const given = submission.source.kind === 'given';
  const document = given ? resolved.workflow.document : null;
  const stored = await putSchedule(session, {
    name: read.name,
    workflow: resolved.workflow.document.name,
    version: submission.source.kind === 'saved' ? (submission.source.version ?? null) : null,
    documentSha: given ? resolved.workflow.sha : null,
    document,
    inputs: submission.inputs ?? {},
    priority: submission.priority,
    tags: [...submission.tags],
    catchUp: read.catchUp,
    overlap: read.overlap,
    ...place(read, known, now),
  });
  return viewOf(stored, document);
}

/** Where the ticks of a schedule go on. A time of the past can't be asked for, but stays where it was asked for before. */
function place(
  { cadence, paused: asked }: ReadSchedule,
  known: StoredSchedule | undefined,
  now: number,
): Pick<ScheduleDefinition, 'cadence' | 'paused' | 'handledUntil' | 'nextAt'> {
  const paused = asked ?? known?.paused ?? false;
  if (known === undefined || !isSame(known.cadence, cadence)) {
    if (cadence.kind === 'at' && Date.parse(cadence.at) <= now) {
      throw invalidSchedule([fault('bad_value', '/at', `${cadence.at} has passed`)]);
    }
    return { cadence, ...goOn({ cadence, paused, handledUntil: now }) };
  }
  const handledUntil = known.paused && !paused ? resumedAt(known, now) : known.handledUntil;
  return { cadence: known.cadence, ...goOn({ cadence: known.cadence, paused, handledUntil }) };
}

/** Up to when the ticks of a paused schedule are dealt with as it goes on: those of the pause are dropped, but a single one waits. */
export function resumedAt({ cadence, handledUntil }: StoredSchedule, now: number): number {
  return cadence.kind === 'at' ? handledUntil : now;
}

/** The place of a schedule, with the next tick. */
export function goOn({
  cadence,
  paused,
  handledUntil,
}: Pick<ScheduleDefinition, 'cadence' | 'paused' | 'handledUntil'>): Pick<
  ScheduleDefinition,
  'paused' | 'handledUntil' | 'nextAt'
> {
  return { paused, handledUntil, nextAt: paused ? null : (nextTick(cadence, handledUntil) ?? null) };
}

/** Two intervals without a start are the same whenever they were asked for. */
function isSame(a: Cadence, b: Cadence): boolean {
  const plain = (cadence: Cadence): unknown => (cadence.kind === 'every' ? { ...cadence, from: undefined } : cadence);
  return isDeepStrictEqual(plain(a), plain(b));
}

/** A schedule as the body that would store it. */
function bodyOf(schedule: StoredSchedule, document: WorkflowDocument | undefined): Record<string, unknown> {
  const { name, inputs, priority, tags, catchUp, overlap, paused } = schedule;
  const what = document === undefined ? { workflow: schedule.workflow } : { workflow: document };
  const version = schedule.version === null ? {} : { version: schedule.version };
  return { name, ...what, ...version, inputs, priority, tags, ...timingOf(schedule.cadence), catchUp, overlap, paused };
}

function timingOf(cadence: Cadence): Record<string, unknown> {
  switch (cadence.kind) {
    case 'cron':
      return { cron: cadence.cron, timezone: cadence.timezone };
    case 'every':
      return { every: cadence.every, ...(cadence.startAt === undefined ? {} : { startAt: cadence.startAt }) };
    case 'at':
      return { at: cadence.at };
  }
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw invalidSchedule([fault('bad_type', '', 'expected an object')]);
}
