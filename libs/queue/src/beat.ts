const BEAT_MS = 1_000;

/**
 * Milliseconds after which something is to be done that is not due at a certain time: about `ms`, and at a beat of this process, so that
 * it wakes once for all of what it looks after. Less than a beat is left as it is. Each process has beats of its own: many of
 * them don't ask Redis or Postgres in the same moment.
 */
export function untilBeat(ms: number, now = performance.now()): number {
  if (ms < BEAT_MS) return ms;
  return Math.max(1, Math.round((now + ms) / BEAT_MS) * BEAT_MS - now);
}
