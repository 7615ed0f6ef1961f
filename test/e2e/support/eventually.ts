import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks. */
const AGAIN_MS = 25;

/** Waits until the function gives something true; fails after `limitMs`, with what it is waiting for. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = 20_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(AGAIN_MS);
  }
}
