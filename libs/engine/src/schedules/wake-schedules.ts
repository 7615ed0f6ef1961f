import type { Engine } from '../context';

/** Tells the schedulers that a schedule was changed. Best effort: they look again every few seconds. */
export function wakeSchedules(engine: Engine): void {
  // Commands wait in memory for a Redis that is away, and a hint is worth nothing then.
  if (engine.queue.redis.status !== 'ready') return;
  engine.queue.bus.publish('schedules', '').catch((error: unknown) => {
    engine.log.debug({ err: error }, 'the schedulers were not told of a schedule');
  });
}
