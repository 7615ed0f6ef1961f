import type { RunLogEntry } from '@lattice/contracts';
import { searchLogs } from '@lattice/persistence';
import type { Engine } from '../context';
import { readRunStatus } from './read-run';

/** Which log entries of a run to read. */
export interface RunLogQuery {
  runId: string;
  taskKey?: string | undefined;
  /** A text that they hold, in letters of any case. */
  q?: string | undefined;
  /** `next` of the page before. */
  after?: string | undefined;
  limit: number;
}

/** A page of the logs of all tasks of a run; throws `run_not_found`. `next` is null when there is no more now. */
export async function readRunLog(
  engine: Engine,
  query: RunLogQuery,
): Promise<{ logs: RunLogEntry[]; next: string | null }> {
  await readRunStatus(engine, query.runId);
  const found = await searchLogs(engine.db, { ...query, limit: query.limit + 1 });
  const logs = found.slice(0, query.limit);
  return { logs, next: found.length > logs.length ? (logs.at(-1)?.id ?? null) : null };
}
