import {
  CATCH_UP,
  OVERLAP,
  cadenceSchema,
  scheduleErrorSchema,
  type Cadence,
  type CatchUp,
  type Overlap,
  type ScheduleError,
} from '@lattice/contracts';
import { z } from 'zod';
import { objectColumn, smallBigintColumn, timeColumn } from '../columns';

/** What a schedule is to do. */
export interface ScheduleDefinition {
  name: string;
  /** Name of the workflow, also of one that came as a document. */
  workflow: string;
  /** Of a saved workflow; null for its newest, and with a document. */
  version: number | null;
  /** Null when the workflow is a saved one. */
  documentSha: string | null;
  inputs: Record<string, unknown>;
  priority: number;
  tags: string[];
  cadence: Cadence;
  catchUp: CatchUp;
  overlap: Overlap;
  paused: boolean;
  /** Milliseconds since 1970: all ticks up to then are dealt with. */
  handledUntil: number;
  /** The first tick after that; null when there is none, or the schedule is paused. */
  nextAt: number | null;
}

/** A schedule with what became of its ticks. */
export interface StoredSchedule extends ScheduleDefinition {
  lastAt: string | null;
  lastRunId: string | null;
  missed: number;
  skipped: number;
  failed: number;
  lastError: ScheduleError | null;
  createdAt: string;
  updatedAt: string;
  /** The time of the database when this was read, in milliseconds since 1970. */
  now: number;
}

const millisecondsColumn = z.date().transform((date) => date.getTime());

export const storedScheduleSchema = z
  .object({
    name: z.string(),
    workflow: z.string(),
    version: z.number().nullable(),
    document_sha: z.string().nullable(),
    inputs: objectColumn,
    priority: z.number(),
    tags: z.array(z.string()),
    cadence: cadenceSchema,
    catch_up: z.enum(CATCH_UP),
    overlap: z.enum(OVERLAP),
    paused: z.boolean(),
    handled_until: millisecondsColumn,
    next_at: millisecondsColumn.nullable(),
    last_at: timeColumn.nullable(),
    last_run_id: z.string().nullable(),
    missed: smallBigintColumn,
    skipped: smallBigintColumn,
    failed: smallBigintColumn,
    last_error: scheduleErrorSchema.nullable(),
    created_at: timeColumn,
    updated_at: timeColumn,
    now: millisecondsColumn,
  })
  .transform((row): StoredSchedule => ({
    name: row.name,
    workflow: row.workflow,
    version: row.version,
    documentSha: row.document_sha,
    inputs: row.inputs,
    priority: row.priority,
    tags: row.tags,
    cadence: row.cadence,
    catchUp: row.catch_up,
    overlap: row.overlap,
    paused: row.paused,
    handledUntil: row.handled_until,
    nextAt: row.next_at,
    lastAt: row.last_at,
    lastRunId: row.last_run_id,
    missed: row.missed,
    skipped: row.skipped,
    failed: row.failed,
    lastError: row.last_error,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    now: row.now,
  }));
