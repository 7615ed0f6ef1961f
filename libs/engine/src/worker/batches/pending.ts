import type { PendingBatch } from '@lattice/contracts';
import type { Lane } from './lane';

/** The batches among these that wait for members. */
export function pendingOf(lanes: readonly Lane[]): PendingBatch[] {
  return lanes.flatMap(({ entry, pending }) =>
    pending === undefined
      ? []
      : [{ handler: entry.handler ?? '', key: pending.key, pending: pending.count, size: entry.batch?.size ?? 1 }],
  );
}

/** Calls the handlers for what has been collected so far; of a handler or a key alone where they are named. */
export function flushLanes(
  lanes: readonly Lane[],
  { handler, key }: { handler?: string | undefined; key?: string | undefined },
): void {
  for (const lane of lanes) {
    if (handler !== undefined && lane.entry.handler !== handler) continue;
    if (key === undefined || lane.pending?.key === key) lane.flush();
  }
}
