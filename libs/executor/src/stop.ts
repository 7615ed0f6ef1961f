import { taskError, type TaskError } from '@lattice/contracts';
import { MAX_TIMER_MS } from './handle';
import type { ExecutionLimits, Outcome } from './port';

/** Why an execution is stopped. `atOnce`: without the grace, because it does harm while it lives. */
export type StopCause = { kind: 'cancelled'; reason: string } | { kind: 'failed'; error: TaskError; atOnce: boolean };

/** Asks for the end of one execution. The first cause wins, so an outcome has one reason. */
export interface Stop {
  readonly cause: StopCause | undefined;
  readonly requested: Promise<StopCause>;
  request(cause: StopCause): void;
}

export function createStop(): Stop {
  let cause: StopCause | undefined;
  let resolve: (cause: StopCause) => void = () => undefined;
  const requested = new Promise<StopCause>((settle) => (resolve = settle));
  return {
    get cause() {
      return cause;
    },
    requested,
    request(given) {
      if (cause !== undefined) return;
      cause = given;
      resolve(given);
    },
  };
}

/**
 * Requests the stop when the time limit passes; returns what disarms it. `insteadOf` may know a better reason why the work did not end
 * in time.
 */
export function armTimeout(
  stop: Stop,
  limits: ExecutionLimits,
  insteadOf: (timeoutMs: number) => TaskError | undefined = () => undefined,
): () => void {
  const { timeoutMs } = limits;
  if (timeoutMs === undefined) return () => undefined;
  const timer = setTimeout(
    () => stop.request({ kind: 'failed', error: insteadOf(timeoutMs) ?? timeoutError(timeoutMs), atOnce: false }),
    Math.min(timeoutMs, MAX_TIMER_MS),
  );
  return () => clearTimeout(timer);
}

/** How long what is stopped may take to end by itself. */
export function graceOf(cause: StopCause, limits: ExecutionLimits): number {
  return cause.kind === 'failed' && cause.atOnce ? 0 : limits.graceMs;
}

export function timeoutError(timeoutMs: number): TaskError {
  return taskError('timeout', `stopped at its time limit of ${timeoutMs} ms`, { details: { timeoutMs } });
}

export function outcomeOfStop(cause: StopCause): Outcome {
  return cause.kind === 'cancelled' ? { status: 'cancelled' } : { status: 'failed', error: cause.error };
}

/** The outcome of a handler that was stopped. It can't be killed: of one that did not end within the grace it is said that it goes on. */
export function outcomeOfHandlerStop(cause: StopCause, ended: boolean): Outcome {
  if (cause.kind === 'cancelled' || ended) return outcomeOfStop(cause);
  const message = `${cause.error.message}; the handler ignores its signal and goes on`;
  return { status: 'failed', error: { ...cause.error, message } };
}
