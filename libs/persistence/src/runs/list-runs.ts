import type { RunList, RunStatus, RunSummary } from '@lattice/contracts';
import { z } from 'zod';
import { runStatusColumn, timeColumn } from '../columns';
import type { Database } from '../database';
import { planned } from '../statements';
import { runIdAt } from './run-id-at';
import { parentColumns, parentOfRow } from './parent-columns';

const LIST_RUNS = planned('list-runs');
const SEARCH_RUNS = planned('search-runs');
/** Runs that one statement of a search looks through. */
const WINDOW = 20_000;
/** A search that has taken so long answers with what it has, and where to go on. */
const SEARCH_MS = 1_500;
/** The ids of runs are made by the clocks of the APIs, their times by that of Postgres: so far they may be apart. */
const SKEW_MS = 3_600_000;

/** Which runs to list. Filters that are absent let all through. */
export interface RunFilter {
  workflow?: string | undefined;
  /** Any of these. */
  status?: readonly RunStatus[] | undefined;
  tag?: string | undefined;
  /** The schedule that made them. */
  schedule?: string | undefined;
  /** Runs that tasks of this run started; without it those that nobody started. */
  parent?: string | undefined;
  /** `next` of the page before: the id of a run (a UUID, else Postgres refuses the question). */
  before?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  /** A worker that had an attempt of the run, the last of its task. */
  worker?: string | undefined;
  /** A text within workflow, tags, schedule, error, reason or inputs, or the begin of the id; letters of any case. */
  q?: string | undefined;
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

/**
 * A page of runs, newest first. `next` is null on the last page. By text or worker it may come with less than a full page, or
 * none: the search goes on from there.
 */
export async function listRuns(db: Database, filter: RunFilter): Promise<RunList> {
  const texts = [filter.workflow, filter.tag, filter.schedule, filter.worker, filter.q];
  // Text in Postgres has no NUL, so nothing can match; asking would be an error.
  if (texts.some((text) => text?.includes('\0') === true)) return { runs: [], next: null };
  if (filter.worker !== undefined || filter.q !== undefined) return searchRuns(db, filter);
  const rows = await db.query(LIST_RUNS, [...parametersOf(filter, filter.before), filter.schedule ?? null]);
  return pageOf(
    rows.map((row) => summarySchema.parse(row)),
    filter.limit,
  );
}

const scanSchema = z.object({ scanned: z.number(), last_scanned: z.string().nullable(), id: z.string().nullable() });

async function searchRuns(db: Database, filter: RunFilter): Promise<RunList> {
  const text = filter.q;
  const json = text === undefined ? null : JSON.stringify(text).slice(1, -1);
  const until = Date.now() + SEARCH_MS;
  const found: RunSummary[] = [];
  for (let before = filter.before; ;) {
    const parameters = parametersOf(filter, before);
    const own = [WINDOW, filter.worker ?? null, text ?? null, json, filter.schedule ?? null];
    const rows = await db.query(SEARCH_RUNS, [...parameters, ...own]);
    const scan = scanSchema.parse(rows[0]);
    for (const row of rows) if (row['id'] !== null) found.push(summarySchema.parse(row));
    if (found.length > filter.limit) return pageOf(found, filter.limit);
    if (scan.scanned < WINDOW || scan.last_scanned === null) return { runs: found, next: null };
    before = scan.last_scanned;
    if (found.length === filter.limit || Date.now() >= until) return { runs: found, next: before };
  }
}

function pageOf(found: readonly RunSummary[], limit: number): RunList {
  const runs = found.slice(0, limit);
  return { runs, next: found.length > limit ? (runs.at(-1)?.runId ?? null) : null };
}

function parametersOf(filter: RunFilter, before: string | undefined): unknown[] {
  const { createdAfter: from, createdBefore: to } = filter;
  return [
    filter.workflow ?? null,
    filter.status ?? null,
    filter.tag ?? null,
    before ?? null,
    filter.limit + 1,
    filter.parent ?? null,
    from ?? null,
    to ?? null,
    from === undefined ? null : runIdAt(from.getTime() - SKEW_MS, 'lowest'),
    to === undefined ? null : runIdAt(to.getTime() + SKEW_MS, 'highest'),
  ];
}
