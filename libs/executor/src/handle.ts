import type { Handle, Outcome, WaitResult } from './port';

const PENDING: WaitResult = { state: 'pending' };
/** setTimeout fires at once above this. */
export const MAX_TIMER_MS = 2_147_483_647;

/** A handle whose outcome is known. */
export class SettledHandle implements Handle {
  constructor(readonly outcome: Outcome) {}
  result(): Promise<Outcome> {
    return Promise.resolve(this.outcome);
  }
  wait(): Promise<WaitResult> {
    return Promise.resolve({ state: 'done', outcome: this.outcome });
  }
  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

/** A handle on work under way. `stop` is called at most once, and not after the end. */
export class RunningHandle implements Handle {
  outcome: Outcome | undefined;
  readonly #result: Promise<Outcome>;
  readonly #stop: (reason: string) => void;

  constructor(result: Promise<Outcome>, stop: (reason: string) => void) {
    this.#stop = stop;
    this.#result = result.then((outcome) => (this.outcome = outcome));
  }

  result(): Promise<Outcome> {
    return this.#result;
  }

  async wait(timeoutMs: number): Promise<WaitResult> {
    if (this.outcome === undefined && timeoutMs > 0) await within(this.#result, timeoutMs);
    return this.outcome === undefined ? PENDING : { state: 'done', outcome: this.outcome };
  }

  async cancel(reason: string): Promise<void> {
    if (this.outcome === undefined) this.#stop(reason);
    await this.#result;
  }
}

/** Waits for the promise, but no longer than that; true when it was in time. Leaves no timer behind. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS), false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
