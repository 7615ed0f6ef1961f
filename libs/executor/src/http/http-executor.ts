import { taskError } from '@lattice/contracts';
import { RunningHandle, SettledHandle, within } from '../handle';
import type { Execution, Executor, Handle, HttpProgram, Outcome } from '../port';
import { tooLarge } from '../read-output';
import { armTimeout, createStop, outcomeOfStop, type Stop } from '../stop';
import { fieldOf, messageOf } from '../thrown';
import { fetchFollowing } from './follow-redirects';
import { readBody } from './read-body';

/** Characters of the answer that the error of an unexpected status has in its details. */
const SHOWN_CHARACTERS = 2_000;
/** An aborted request ends at once; this is the net. */
const ABORTED_MS = 1_000;

/** Requests over HTTP, made by the worker itself: they wait for others most of the time, and run no code of anybody. */
export function createHttpExecutor(): Executor {
  const running = new Set<Handle>();
  return {
    level: 'none',
    submit(execution) {
      if (execution.uses !== 'http') {
        const error = taskError('sandbox_failed', `this executor makes requests, not ${execution.uses}`);
        return new SettledHandle({ status: 'failed', error });
      }
      const stop = createStop();
      const handle = new RunningHandle(run(execution, stop), (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
    },
  };
}

async function run(execution: Execution & HttpProgram, stop: Stop): Promise<Outcome> {
  const abort = new AbortController();
  const disarm = armTimeout(stop, execution.limits);
  try {
    const answered = request(execution, abort.signal);
    const first = await Promise.race([answered, stop.requested]);
    if ('status' in first) return first;
    abort.abort();
    await within(answered, ABORTED_MS);
    return outcomeOfStop(first);
  } finally {
    disarm();
  }
}

/** Never rejects. */
async function request(execution: Execution & HttpProgram, signal: AbortSignal): Promise<Outcome> {
  const { url, method, headers, body, expect } = execution.http;
  try {
    const response = await fetchFollowing({ url, method, headers, body }, { signal, expect });
    execution.onAlive?.();
    return await outcomeOf(response, execution);
  } catch (error) {
    const cause = fieldOf(error, 'cause');
    const code = fieldOf(cause, 'code');
    const why = cause === undefined ? messageOf(error) : messageOf(cause);
    const details = { url, ...(typeof code === 'string' ? { code } : {}) };
    return failed(taskError('http_unreachable', `${method} ${url} was not answered: ${why}`, { details }));
  }
}

async function outcomeOf(response: Response, execution: Execution & HttpProgram): Promise<Outcome> {
  const { url, method, expect, maxBytes } = execution.http;
  const { status } = response;
  const read = await readBody(response, maxBytes, () => execution.onAlive?.());
  const expected = expect === undefined ? response.ok : expect.includes(status);
  if (!expected) {
    const shown = read.kind === 'body' ? textOf(read.body).slice(0, SHOWN_CHARACTERS) : '';
    const retryable = status >= 500 || status === 429;
    const details = { url, status, body: shown };
    return failed(taskError('http_status', `${method} ${url} answered ${status}`, { retryable, details }));
  }
  if (read.kind === 'large') {
    const details = { url, status, limitBytes: maxBytes };
    const message = `the answer of ${method} ${url} has more than ${maxBytes} bytes`;
    return failed(taskError('response_too_large', message, { details }));
  }
  const outputJson = JSON.stringify({
    status,
    headers: Object.fromEntries(response.headers),
    body: read.body,
    ...(read.encoding === undefined ? {} : { encoding: read.encoding }),
  });
  const bytes = Buffer.byteLength(outputJson);
  const { outputBytes } = execution.limits;
  return bytes > outputBytes ? failed(tooLarge(bytes, outputBytes)) : { status: 'completed', outputJson };
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function failed(error: ReturnType<typeof taskError>): Outcome {
  return { status: 'failed', error };
}
