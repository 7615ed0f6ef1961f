import { logEntrySchema, runLogPageSchema, type LogEntry, type RunLogEntry } from '@lattice/contracts';
import { allPages, fit, listIn } from './parse-body';
import { request, type CallOptions, type Connection } from './request';

/** What a task has written so far, over all attempts (or one of them), in order. */
export async function readLogs(
  connection: Connection,
  path: string,
  options: CallOptions & { attempt?: number | undefined },
): Promise<LogEntry[]> {
  const { attempt, ...call } = options;
  return allPages(async (after) => {
    const body = await request(connection, { ...call, method: 'GET', path, query: { attempt, after } });
    return listIn(body, 'logs', logEntrySchema, connection.url);
  });
}

/** Which entries of the log of a run make a page. */
export interface LogPageOptions extends CallOptions {
  /** A text that they hold. */
  q?: string | undefined;
  task?: string | undefined;
  after?: string | undefined;
  /** Entries of the page, at most 5,000; 1,000 when absent. */
  limit?: number | undefined;
}

/** One page of the log entries of all tasks of a run, in order. */
export async function readLogPage(
  connection: Connection,
  path: string,
  options: LogPageOptions,
): Promise<{ logs: RunLogEntry[]; next: string | null }> {
  const { q, task, after, limit, ...call } = options;
  const body = await request(connection, { ...call, method: 'GET', path, query: { q, task, after, limit } });
  return fit(runLogPageSchema, body, connection.url);
}

/** Log entries of all tasks of a run that hold a text (all entries without one), in order. */
export async function searchLogs(
  connection: Connection,
  path: string,
  options: CallOptions & { q?: string | undefined; task?: string | undefined },
): Promise<RunLogEntry[]> {
  return allPages(async (after) => {
    const page = await readLogPage(connection, path, { ...options, after });
    return { items: page.logs, next: page.next };
  });
}
