import { taskError, type TaskError } from '@lattice/contracts';

/** Watches that an attempt gives signs of life. */
export interface SilenceWatch {
  /** A sign of life: the time starts again. */
  heard(): void;
  /** Ends the watch. */
  end(): void;
  /** The error of an attempt that was silent for too long; undefined while it was not. */
  readonly error: TaskError | undefined;
}

/** setTimeout fires at once above this. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Calls `onSilence` once, when nothing was heard for `heartbeatMs` milliseconds. A sign of life costs no timer: one that goes off
 * looks when the last was heard, and goes on for what is left.
 */
export function watchSilence(heartbeatMs: number, onSilence: () => void): SilenceWatch {
  let last = performance.now();
  let error: TaskError | undefined;
  let timer = setTimeout(look, Math.min(heartbeatMs, MAX_TIMER_MS));
  function look(): void {
    const left = heartbeatMs - (performance.now() - last);
    if (left > 0) {
      timer = setTimeout(look, Math.min(Math.ceil(left), MAX_TIMER_MS));
      return;
    }
    const message = `no sign of life for ${heartbeatMs} ms: no log line, no progress, no heartbeat`;
    error = taskError('heartbeat_timeout', message, { details: { heartbeatMs } });
    onSilence();
  }
  return {
    heard: () => {
      last = performance.now();
    },
    end: () => clearTimeout(timer),
    get error() {
      return error;
    },
  };
}
