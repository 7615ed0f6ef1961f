import { z } from 'zod';
import { prioritySchema } from './document';
import { durationSchema } from './duration';
import { workflowNameSchema } from './ids';

/** What becomes of ticks that nobody was there to fire in time. */
export const CATCH_UP = ['skip', 'last', 'all'] as const;
export type CatchUp = (typeof CATCH_UP)[number];
/** What becomes of a tick that comes while the last run of the schedule goes on. */
export const OVERLAP = ['allow', 'skip'] as const;
export type Overlap = (typeof OVERLAP)[number];

/** A tick fired so many milliseconds late is still on time; one that is later was missed, and `catchUp` says what becomes of it. */
export const ON_TIME_MS = 10_000;
/** How many missed ticks `catchUp: all` fires, the newest; those before them are counted as missed. */
export const CATCH_UP_LIMIT = 100;
/** The shortest interval of a schedule in milliseconds. */
export const SHORTEST_INTERVAL_MS = 1_000;

/** Name of a schedule. */
export const scheduleNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'not a schedule name: letters, digits, . _ -, up to 128');

const moment = z.iso.datetime({
  offset: true,
  error: 'not a time: write ISO 8601 with an offset, for instance 2026-12-24T18:00:00Z',
});

const definition = {
  workflow: z
    .union([workflowNameSchema, z.record(z.string(), z.unknown())])
    .describe('Name of a saved workflow, or a document.'),
  version: z.int().positive().max(2_147_483_647).optional().describe('Of a saved workflow; the newest when absent.'),
  inputs: z.record(z.string(), z.json()).optional(),
  priority: prioritySchema.optional(),
  tags: z.array(z.string().max(100)).max(50).optional(),
  cron: z
    .string()
    .max(200)
    .optional()
    .describe(
      'Five fields (minute, hour, day of month, month, day of week) or six (seconds first), or @hourly, @daily, @weekly, @monthly, @yearly. `L`, `W` and `#` work. Days of month and of week are joined by or; `+` before the day of week joins by and.',
    ),
  timezone: z.string().max(100).optional().describe('IANA name, of `cron` alone; default UTC.'),
  every: durationSchema.optional().describe('An interval, 1s or longer.'),
  startAt: moment
    .optional()
    .describe('Of `every` alone: the first tick. Else the first tick is one interval from now.'),
  at: moment.optional().describe('Once, at this time.'),
  catchUp: z
    .enum(CATCH_UP)
    .optional()
    .describe(
      `Of ticks more than ${ON_TIME_MS / 1_000} s late: skip drops them, last (the default) fires the newest, all fires them all, the newest ${CATCH_UP_LIMIT} at most.`,
    ),
  overlap: z
    .enum(OVERLAP)
    .optional()
    .describe('skip: a tick is dropped while the last run of the schedule has not ended. Default allow.'),
  paused: z.boolean().optional().describe('Default: as it is, of a new schedule false.'),
};

/** Body of POST /v1/schedules. Exactly one of `cron`, `every` and `at` says when. */
export const scheduleSchema = z.strictObject({ name: scheduleNameSchema, ...definition });
export type ScheduleBody = z.infer<typeof scheduleSchema>;

/** Body of PATCH /v1/schedules/:name. What is absent stays; `cron`, `every` and `at` replace each other with what belongs to them. */
export const schedulePatchSchema = z.strictObject(definition).partial();
export type SchedulePatch = z.infer<typeof schedulePatchSchema>;

/** Body of POST /v1/schedules/preview. */
export const timingSchema = z.strictObject({
  cron: definition.cron,
  timezone: definition.timezone,
  every: definition.every,
  startAt: definition.startAt,
  at: definition.at,
});

/** When a schedule ticks, checked. `every` counts from `from`, which is a tick itself. Times are ISO 8601. */
export const cadenceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cron'), cron: z.string(), timezone: z.string() }),
  z.object({ kind: z.literal('every'), every: durationSchema, from: z.string(), startAt: z.string().optional() }),
  z.object({ kind: z.literal('at'), at: z.string() }),
]);
export type Cadence = z.infer<typeof cadenceSchema>;

const time = z.string().nullable();

/** Why a tick made no run. */
export const scheduleErrorSchema = z.object({ code: z.string(), message: z.string(), tick: time, at: z.string() });
export type ScheduleError = z.infer<typeof scheduleErrorSchema>;

/** A schedule in a list. */
export const scheduleSummarySchema = z.object({
  name: z.string(),
  workflow: z.string().describe('Name of the workflow, also of one that came as a document.'),
  version: z.number().int().nullable(),
  priority: z.number().int(),
  tags: z.array(z.string()),
  cron: z.string().nullable(),
  timezone: z.string().nullable(),
  every: z.string().nullable(),
  startAt: time,
  at: time,
  catchUp: z.enum(CATCH_UP),
  overlap: z.enum(OVERLAP),
  paused: z.boolean(),
  nextAt: time.describe('The next tick; null when there is none: paused, or over.'),
  lastAt: time.describe('The last tick that made a run; of a trigger its time.'),
  lastRunId: z.string().nullable(),
  missed: z
    .number()
    .int()
    .describe('Ticks that were not fired because they were too late (a catch-up counts up to 1,000).'),
  skipped: z.number().int().describe('Ticks dropped because the last run went on.'),
  failed: z.number().int().describe('Ticks that could make no run; `lastError` says why.'),
  lastError: scheduleErrorSchema.nullable().describe('Stays until the schedule is changed.'),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type ScheduleSummary = z.infer<typeof scheduleSummarySchema>;

/** GET /v1/schedules/:name. */
export const scheduleViewSchema = scheduleSummarySchema.extend({
  inputs: z.record(z.string(), z.unknown()),
  document: z.record(z.string(), z.unknown()).nullable().describe('Null when the workflow is a saved one.'),
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

export const scheduleListSchema = z.object({
  schedules: z.array(scheduleSummarySchema),
  next: z.string().nullable(),
});

/** Ticks to come. */
export const ticksSchema = z.object({ ticks: z.array(z.string()) });
