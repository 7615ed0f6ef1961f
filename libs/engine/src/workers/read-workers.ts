import type { WorkerView } from '@lattice/contracts';
import { listWorkers } from '@lattice/queue';
import type { Engine } from '../context';

/** All workers seen within a day, the offline ones too. */
export async function readWorkers(engine: Engine): Promise<WorkerView[]> {
  return listWorkers(engine.queue);
}
