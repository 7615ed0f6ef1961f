import { type RunList, type RunStatus } from '@lattice/contracts';
import { z } from 'zod';
import { runStatusColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { planned } from '../statements';
import { parentColumns, parentOfRow } from './parent-columns';

const LIST_RUNS = planned('list-runs');

/** Which runs to list. Filters that are absent let all through. */
export interface RunFilter {
  workflow?: string | undefined;
  status?: RunStatus | undefined;
  tag?: string | undefined;
  /** Runs that tasks of this run started; without it those that nobody started. */
  parent?: string | undefined;
  /** `next` of the page before: the id of a run (a UUID, else Postgres refuses the question). */
  before?: string | undefined;
  limit: number;
}

const summarySchema = z
  .object({
    id: z.string(),
    forked_from: z.string().nullable(),
    workflow: z.string(),
    version: z.number().nullable(),
    status: runStatusColumn,
    priority: z.number(),
    tags: z.array(z.string()),
    created_at: timeColumn,
    started_at: timeColumn.nullable(),
    finished_at: timeColumn.nullable(),
    schedule: z.string().nullable(),
    tick: timeColumn.nullable(),
    ...parentColumns,
  })
  .transform((row) => ({
    runId: row.id,
    workflow: row.workflow,
    version: row.version,
    status: row.status,
    priority: row.priority,
    tags: row.tags,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    schedule: row.schedule,
    tick: row.tick,
    parent: parentOfRow(row),
    forkedFrom: row.forked_from,
  }));

/** A page of runs, newest first. `next` is null on the last page. */
export async function listRuns(db: Database, filter: RunFilter): Promise<RunList> {
  // Text in Postgres has no NUL, so nothing can match; asking would be an error.
  if (`${filter.workflow ?? ''}${filter.tag ?? ''}`.includes('\0')) return { runs: [], next: null };
  const rows = await db.query(LIST_RUNS, [
    filter.workflow ?? null,
    filter.status ?? null,
    filter.tag ?? null,
    filter.before ?? null,
    filter.limit + 1,
    filter.parent ?? null,
  ]);
  const runs = rows.slice(0, filter.limit).map((row) => summarySchema.parse(row));
  return { runs, next: rows.length > filter.limit ? (runs.at(-1)?.runId ?? null) : null };
}
