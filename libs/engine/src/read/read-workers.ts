import type { GpuHolder, WorkerView } from '@lattice/contracts';
import { listWorkers, withLimit } from '@lattice/queue';
import type { Engine } from '../context';

/** Commands wait for a Redis that is away; who asked for a list does not. */
const LIMIT_MS = 5_000;

/** All workers seen within a day, the offline ones too. Throws `unavailable` when Redis does not answer. */
export async function readWorkers(engine: Engine): Promise<WorkerView[]> {
  return shareHolders(await withLimit(listWorkers(engine.queue), LIMIT_MS, 'Redis does not answer.'));
}

/** Each worker tells of the GPUs that it holds itself: those of its host are held by all workers there. */
function shareHolders(workers: readonly WorkerView[]): WorkerView[] {
  const holders = new Map<string, GpuHolder[]>();
  for (const { status, gpus } of workers) {
    if (status === 'offline') continue;
    for (const gpu of gpus) holders.set(gpu.uuid, [...(holders.get(gpu.uuid) ?? []), ...gpu.holders]);
  }
  return workers.map((worker) => {
    if (worker.gpus.length === 0) return worker;
    const gpus = worker.gpus.map((gpu) => ({ ...gpu, holders: holders.get(gpu.uuid) ?? [] }));
    const free = gpus.reduce((sum, gpu) => sum + (gpu.healthy ? 1 - shareOf(gpu.holders) : 0), 0);
    return { ...worker, gpus, free: { ...worker.free, gpu: Math.round(free * 1_000) / 1_000 } };
  });
}

function shareOf(holders: readonly GpuHolder[]): number {
  return holders.reduce((sum, { share }) => sum + share, 0);
}
