import type { Engine } from '../context';

/** The nudge of one who controls a run: to cancel, pause or resume it. */
export const ORDERS = 'orders';

/** Schedulers look at the outbox at least so often. */
const SWEEP_MS = 1_000;

/** Tells the schedulers of a timer that is over before they would see it. */
export function nudgeOfTimer(engine: Engine, delayMs: number): void {
  if (delayMs <= SWEEP_MS) nudge(engine);
}

/** Tells the schedulers that the outbox has work. Best effort: their sweep of the outbox is the net. */
export function nudge(engine: Engine, what: typeof ORDERS | '' = ''): void {
  // Commands wait in memory for a Redis that is away, and a nudge is worth nothing then.
  if (engine.queue.redis.status !== 'ready') return;
  engine.queue.bus.publish('nudge', what).catch((error: unknown) => {
    engine.log.debug({ err: error }, 'the scheduler was not nudged');
  });
}
