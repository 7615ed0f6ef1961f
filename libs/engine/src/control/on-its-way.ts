import { lastOrder } from '@lattice/persistence';
import { readHead } from '@lattice/queue';
import type { Engine } from '../context';

/**
 * Whether a run is about to be paused, or about to go on, whatever its row in Postgres says still: it was asked to, or the scheduler has done
 * so and history has not been written since. Undefined when nothing is on its way.
 */
export async function onItsWay(engine: Engine, runId: string): Promise<'paused' | 'running' | undefined> {
  const order = await lastOrder(engine.db, runId);
  if (order !== undefined) return order === 'pause' ? 'paused' : 'running';
  // Commands wait in memory for a Redis that is away.
  if (engine.queue.redis.status !== 'ready') return undefined;
  const head = await readHead(engine.queue, runId);
  return head?.state === 'paused' || head?.state === 'running' ? head.state : undefined;
}
