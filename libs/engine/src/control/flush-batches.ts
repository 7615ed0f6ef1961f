import type { Engine } from '../context';

/** Tells all workers to call their handlers for what has been collected, of a handler or a key alone where they are named. */
export async function flushBatches(
  engine: Engine,
  which: { handler?: string | undefined; key?: string | undefined },
): Promise<void> {
  await engine.queue.bus.publish('control', JSON.stringify({ flush: which }));
}
