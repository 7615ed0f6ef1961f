import { availableParallelism, totalmem } from 'node:os';
import { DEFAULT_CPU } from '@lattice/flow';
import type { Capacity } from '../resource-ledger';
import { readLimits } from './control-groups';

/**
 * What a worker has to give: what it was told (cores, bytes), else what the machine has or its control groups leave it (the
 * limits of a container), whichever is less. Cores may be fractions, rounded down to hundredths; fewer than a task takes that
 * asks for none would serve no code at all, so they count as that.
 */
export function findCapacity(
  told: { readonly cpus: number | undefined; readonly memory: number | undefined; readonly concurrency: number },
  limits = readLimits(),
): Capacity {
  const cores = Math.max(DEFAULT_CPU, Math.floor(limits.cpu * 100 + 1e-6) / 100);
  return {
    cpu: told.cpus ?? Math.min(availableParallelism(), cores),
    memory: told.memory ?? Math.min(totalmem(), limits.memory),
    slots: told.concurrency,
  };
}
