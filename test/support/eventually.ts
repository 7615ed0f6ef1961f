import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 20;

/** Asks again and again until there is a value; throws `what` after the limit. A throw of `check` counts as not yet. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  limitMs = 10_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) throw new Error(`not within ${limitMs} ms: ${what}`, { cause: last });
    await delay(EVERY_MS);
  }
}
