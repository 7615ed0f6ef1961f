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

/** Log entries of all tasks of a run that hold a text (all entries without one), in order. */
export async function searchLogs(
  connection: Connection,
  path: string,
  options: CallOptions & { q?: string | undefined; task?: string | undefined },
): Promise<RunLogEntry[]> {
  const { q, task, ...call } = options;
  return allPages(async (after) => {
    const body = await request(connection, { ...call, method: 'GET', path, query: { q, task, after } });
    const page = fit(runLogPageSchema, body, connection.url);
    return { items: page.logs, next: page.next };
  });
}
