import { CODES, isFinalRun, parseDuration, runViewSchema, type RunView } from '@lattice/contracts';
import type { WaitOptions } from './client-options';
import { ApiError } from './errors';
import { fit } from './parse-body';
import { request, type Connection } from './request';

/** The longest the server is asked to hold one call of `wait`. */
const HOLD_MS = 20_000;

/** The run at `path` when it has ended, or as it is when the timeout has passed. */
export async function waitForEnd(connection: Connection, path: string, options: WaitOptions): Promise<RunView> {
  const end = Date.now() + milliseconds(options.timeout ?? '1h');
  for (;;) {
    const hold = Math.max(0, Math.min(HOLD_MS, end - Date.now()));
    const body = await request(connection, {
      method: 'GET',
      path: `${path}/wait`,
      query: { timeout: `${hold}ms` },
      signal: options.signal,
      timeoutMs: hold + connection.timeoutMs,
    });
    const run = fit(runViewSchema, body, connection.url);
    if (isFinalRun(run.status) || Date.now() >= end) return run;
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
