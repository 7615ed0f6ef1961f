import type { PendingBatch } from '@lattice/contracts';
import type { Engine } from '../context';
import { readWorkers } from './read-workers';

/** A batch that a worker collects. */
export type CollectedBatch = PendingBatch & { readonly workerId: string };

/** The batches that are being collected now, as the workers told with their last heartbeat. Throws `unavailable`. */
export async function readBatches(engine: Engine): Promise<CollectedBatch[]> {
  const workers = await readWorkers(engine);
  return workers.flatMap(({ workerId, status, batches }) =>
    status === 'offline' || status === 'stale' ? [] : batches.map((batch) => ({ ...batch, workerId })),
  );
}
