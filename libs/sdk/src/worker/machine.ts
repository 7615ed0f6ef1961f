import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';

/** A worker with less would be given no task that asks for a part of a core. */
const LEAST_CPU = 0.01;
const GROUPS = '/sys/fs/cgroup';

/**
 * Cores and bytes that this process may use: of the machine, or what the limits of its container leave it. `root` stands for `/`,
 * `constrained` is what Node says of memory.
 */
export function findResources(
  root = '/',
  constrained = process.constrainedMemory(),
): { readonly cpu: number; readonly memory: number } {
  const memory = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  const cores = Math.max(LEAST_CPU, Math.floor(quotaOf(root) * 100 + 1e-6) / 100);
  return { cpu: Math.min(availableParallelism(), cores), memory };
}

/** Cores that a container is limited to, by control groups of version 2 or 1: Node 20 does not count them, and later ones round them. */
function quotaOf(root: string): number {
  const read = (file: string): string => {
    try {
      return readFileSync(join(root, GROUPS, file), 'utf8').trim();
    } catch {
      return '';
    }
  };
  const [quota, period] =
    /^(\d+) (\d+)$/.exec(read('cpu.max'))?.slice(1).map(Number) ??
    [read('cpu/cpu.cfs_quota_us'), read('cpu/cpu.cfs_period_us')].map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : Infinity;
}
