import type { WorkerView } from '@lattice/contracts';
import { listWorkers, withLimit } from '@lattice/queue';
import type { Engine } from '../context';

/** Commands wait for a Redis that is away; who asked for a list does not. */
const LIMIT_MS = 5_000;

/** All workers seen within a day, the offline ones too. Throws `unavailable` when Redis does not answer. */
export async function readWorkers(engine: Engine): Promise<WorkerView[]> {
  return withLimit(listWorkers(engine.queue), LIMIT_MS, 'Redis does not answer.');
}
