import { LatticeError } from '@lattice/contracts';
import type { OutputAddress } from '@lattice/persistence';
import { parseJobId, readHead, readProgress } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { readLease } from './lease';

/** An attempt as its worker names it in a request beside the socket: as its `execute` did. */
export interface HeldAttempt {
  /** runId.epoch.taskKey.attempt */
  readonly id: string;
  readonly lease: string;
}

/**
 * The address of an attempt that its worker holds still. The run hash says so, which any process can ask: the mark under which the attempt is
 * live has the value of the lock that its lease is of. Throws `heartbeat_lost` when it is somebody else's by now, or over.
 */
export async function addressOfHeld({ queue }: Runtime, { id, lease }: HeldAttempt): Promise<OutputAddress> {
  const cut = id.lastIndexOf('.');
  const attempt = Number(id.slice(cut + 1));
  const job = parseJobId(id.slice(0, Math.max(0, cut)));
  const token = readLease(lease)?.token;
  if (job?.taskKey === undefined || token === undefined || token === '' || !Number.isInteger(attempt))
    throw new LatticeError('bad_request', 'The request names no attempt with its lease.');
  const { runId, epoch, taskKey } = job;
  const [head, [task]] = await Promise.all([readHead(queue, runId), readProgress(queue, runId, [taskKey])]);
  const isHeld =
    head?.epoch === epoch && task?.ended === false && task.attempt === attempt && task.live.endsWith(`|${token}`);
  if (isHeld) return { runId, epoch, taskKey, attempt };
  throw new LatticeError('heartbeat_lost', `attempt ${id} is over, or belongs to another worker by now`);
}
