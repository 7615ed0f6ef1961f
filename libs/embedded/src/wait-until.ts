import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly limitMs: number;
  readonly everyMs?: number;
}

/** Polls until `check` gives a value; undefined when the limit passes first. What `check` throws ends the wait. */
export async function waitUntil<T>(
  check: () => T | undefined | Promise<T | undefined>,
  { limitMs, everyMs = 20 }: WaitOptions,
): Promise<T | undefined> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (performance.now() >= end) return undefined;
    await delay(everyMs);
  }
}
