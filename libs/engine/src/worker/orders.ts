import { LatticeError, parseDuration, type Drain, type WorkerOrder } from '@lattice/contracts';
import { orderWorker, type StoredOrder } from '@lattice/queue';
import type { Engine } from '../context';

/**
 * Tells a worker to take no more tasks (cordon), to do so and be done (drain), or to take them again (uncordon). The worker
 * heeds it at once when it hears it, else with its next heartbeat. Throws `worker_not_found`.
 */
export async function requestWorkerOrder(
  engine: Engine,
  workerId: string,
  order: WorkerOrder,
  drain: Drain = { exit: false },
): Promise<void> {
  const stored = toStored(order, drain);
  if (!(await orderWorker(engine.queue, workerId, stored)))
    throw new LatticeError('worker_not_found', `There is no worker ${workerId}.`);
  await engine.queue.bus.publish('control', JSON.stringify({ order: workerId }));
}

function toStored(order: WorkerOrder, { exit, timeout }: Drain): StoredOrder {
  if (order !== 'drain') return { order };
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  return timeoutMs === undefined ? { order, exit } : { order, exit, timeoutMs };
}
