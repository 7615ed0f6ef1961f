import { CODES, isErrorCode, type ErrorCode, type Fault, type RunView } from '@lattice/contracts';

/** The server refused a call: what its problem+json said. `code` is one of the error table. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly faults: readonly Fault[];
  /** What to do about it, by its code; undefined for a code that this version does not know. */
  readonly hint: string | undefined;
  /** From Retry-After, in milliseconds; undefined when the server gave none. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: {
    code: string;
    status: number;
    message: string;
    faults?: readonly Fault[] | undefined;
    retryAfterMs?: number | undefined;
  }) {
    super(problem.message);
    this.name = 'ApiError';
    this.code = problem.code;
    this.status = problem.status;
    this.faults = problem.faults ?? [];
    this.hint = isErrorCode(problem.code) ? CODES[problem.code].hint : undefined;
    this.retryAfterMs = problem.retryAfterMs;
  }
}

/** No answer came: the server is not there, the connection broke, or the time limit passed. */
export class Unreachable extends Error {
  readonly url: string;

  constructor(url: string, reason: string, cause?: unknown) {
    super(`no answer from ${url}: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = 'Unreachable';
    this.url = url;
  }
}

/** A run that was waited for did not complete: it failed, was cancelled, or is not over yet (`run_timeout`). */
export class RunError extends Error {
  /** Of the error that ended the run. */
  readonly code: string;
  /** The run with its tasks, as it was then. */
  readonly run: RunView;

  constructor(run: RunView) {
    const over = run.finishedAt !== null;
    const why = run.error?.message ?? run.reason;
    super(
      over
        ? `run ${run.runId} of ${run.workflow} ${run.status}${why === null ? '' : `: ${why}`}`
        : `run ${run.runId} of ${run.workflow} is still ${run.status}; wait longer, or look again`,
    );
    this.name = 'RunError';
    this.code = run.error?.code ?? (run.status === 'cancelled' ? 'cancelled' : over ? 'run_failed' : 'run_timeout');
    this.run = run;
  }
}

/** Whether something thrown has one of these published codes; one that is not published is a compile error. */
export function hasCode<C extends ErrorCode>(error: unknown, ...codes: readonly C[]): error is Error & { code: C } {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

/** What a failed fetch says, with the cause that Node hides behind "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) return inner.errors[0].message;
  return inner instanceof Error && inner.message !== '' ? inner.message : error.message;
}
