import type { Executors, GpuGrant, LabelSetter } from '@lattice/executor';
import { execute, type Attempt, type AttemptContext } from '../attempt/execute';
import type { Runtime } from '../runtime';
import { joinBatch } from './batches/join-batch';
import type { WorkerGpus } from './gpus/worker-gpus';
import type { Reservation } from './resource-ledger';

/** On a worker with GPUs, for a task that was given none. */
const NO_GPUS: GpuGrant = { uuids: [], token: 0, fds: [] };

/** Does an attempt on what is reserved for it: by itself, or in a batch. */
export function perform(
  worker: { runtime: Runtime; executors: Executors; labels: LabelSetter; gpus: WorkerGpus },
  attempt: Attempt,
  reservation?: Reservation,
): ReturnType<AttemptContext['perform']> {
  const { runtime, executors, labels } = worker;
  const gpus = grantOf(reservation, worker.gpus);
  const { handler } = attempt.task;
  if (reservation?.batch === undefined || handler === undefined)
    return execute({ runtime, executors, gpus, labels }, attempt);
  const call = { executors, settings: runtime.settings, handler, gpus, labels };
  return joinBatch({ runtime, ...call, ...reservation.batch }, attempt);
}

/** Where there are GPUs, also such as this worker is not to use, a task sees those that it was given, and no others. */
function grantOf(reservation: Reservation | undefined, gpus: WorkerGpus): GpuGrant | undefined {
  const lease = reservation?.gpus;
  if (lease === undefined) return gpus.areThere ? NO_GPUS : undefined;
  const { devices, token, fds } = lease;
  const holdUntil = (ended: Promise<unknown>): void => gpus.holdUntil(lease, ended);
  return { uuids: devices.map(({ uuid }) => uuid), token, fds, holdUntil };
}
