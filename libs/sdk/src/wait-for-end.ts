import { CODES, isFinalRun, parseDuration, runViewSchema, type RunView } from '@lattice/contracts';
import { backoff, sleep } from './backoff';
import type { WaitOptions } from './client-options';
import { ApiError } from './errors';
import { fit } from './parse-body';
import { isPassing, request, retryAfterOf, type Connection } from './request';

/** The longest the server is asked to hold one call of `wait`. */
const HOLD_MS = 20_000;

/** How long a server may be away that was there before. */
const AWAY_MS = 120_000;

/** The run at `path` when it has ended, or as it is when the timeout has passed. */
export async function waitForEnd(connection: Connection, path: string, options: WaitOptions): Promise<RunView> {
  const end = Date.now() + milliseconds(options.timeout ?? '1h');
  const away: Away = { failures: 0, since: undefined };
  for (;;) {
    const run = await look(connection, path, { options, end, away });
    if (run !== undefined && (isFinalRun(run.status) || Date.now() >= end)) return run;
  }
}

interface Away {
  failures: number;
  /** When the server was first found away, and has not answered since. */
  since: number | undefined;
}

/** The run as one call gives it; undefined when the server is away, after a pause. */
async function look(
  connection: Connection,
  path: string,
  { options, end, away }: { options: WaitOptions; end: number; away: Away },
): Promise<RunView | undefined> {
  const hold = Math.max(0, Math.min(HOLD_MS, end - Date.now()));
  const query = { timeout: `${hold}ms` };
  const { signal } = options;
  try {
    const timeoutMs = hold + connection.timeoutMs;
    const body = await request(connection, { method: 'GET', path: `${path}/wait`, query, signal, timeoutMs });
    away.failures = 0;
    away.since = undefined;
    return fit(runViewSchema, body, connection.url);
  } catch (error) {
    if (signal?.aborted || !isPassing(error)) throw error;
    away.since ??= Date.now();
    const patience = options.awayMs ?? (connection.reached ? AWAY_MS : 0);
    const last = Math.min(end, away.since + patience);
    const pause = Math.max(backoff(away.failures), retryAfterOf(error) ?? 0);
    if (Date.now() + pause > last) throw error;
    away.failures += 1;
    await sleep(pause, signal ?? new AbortController().signal);
    return undefined;
  }
}

function milliseconds(duration: string): number {
  const ms = parseDuration(duration);
  if (ms === undefined)
    throw new ApiError({
      code: 'bad_duration',
      status: 400,
      message: `"${duration}" is not a duration. ${CODES.bad_duration.hint}`,
    });
  return ms;
}
