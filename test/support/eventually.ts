import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 20;
/** Long, so that what is only slow, on a machine with much to do, is not taken for what never comes. */
const LIMIT_MS = 40_000;

/** Asks again and again until there is a value (not undefined, null or false); throws `what` after the limit. A throw of `check` counts as not yet. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (isThere(value)) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) throw new Error(`not within ${limitMs} ms: ${what}`, { cause: last });
    await delay(EVERY_MS);
  }
}

function isThere<T>(value: T): value is Exclude<T, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}
