import { taskError, type ErrorCode } from '@lattice/contracts';
import type { Outcome } from '@lattice/executor';
import type { StepTimes } from '@lattice/queue';
import type { Attempt, Waiting } from '../attempt/execute';
import type { Runtime } from '../runtime';

/** What a step works on. */
export interface Step {
  readonly runtime: Runtime;
  readonly attempt: Attempt;
  readonly times: StepTimes;
}

/** A step that waits is woken by what it waits for. Should nobody do so it looks again after so long. */
const NET_MS = 10_000;

export function waitFor(ms: number): Waiting {
  return { status: 'waiting', ms: Math.min(Math.max(Math.ceil(ms), 1), NET_MS) };
}

/** Until somebody wakes it. */
export const WAIT: Waiting = waitFor(NET_MS);

export function completed(value: unknown): Outcome {
  return { status: 'completed', outputJson: JSON.stringify(value ?? null) };
}

export function failed(code: ErrorCode, message: string, details?: Record<string, unknown>): Outcome {
  return { status: 'failed', error: taskError(code, message, details === undefined ? {} : { details }) };
}
