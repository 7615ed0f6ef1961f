import { readFileSync } from 'node:fs';
import { taskError, type TaskError } from '@lattice/contracts';
import { memoryLimitError } from '../outcome';
import type { ExecutionLimits } from '../port';
import type { ProcessTable, ProcessTree } from './process-table';

/** How often use is measured, in milliseconds. */
const SAMPLE_MS = 50;
/** Sampling may take up to one in this many milliseconds of the event loop: on a machine with very many processes it becomes rarer. */
const LOAD_FRACTION = 20;

export interface Watchdog {
  /** Calls `onExceeded` once when the tree uses more than its limits. Returns what ends the watch. */
  watch(tree: ProcessTree, limits: ExecutionLimits, onExceeded: (error: TaskError) => void): () => void;
}

interface Watched {
  tree: ProcessTree;
  limits: ExecutionLimits;
  onExceeded: (error: TaskError) => void;
}

/** Holds trees of processes to their limits of memory and number, by one timer for all of a worker. */
export function createWatchdog(table: ProcessTable): Watchdog {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  function sample(): void {
    const start = performance.now();
    table.scan();
    for (const one of watched) {
      const error = excessOf(one.tree, one.limits);
      if (error === undefined) continue;
      watched.delete(one);
      one.onExceeded(error);
    }
    const took = performance.now() - start;
    timer = watched.size === 0 ? undefined : setTimeout(sample, Math.max(SAMPLE_MS, took * LOAD_FRACTION));
  }

  return {
    watch(tree, limits, onExceeded) {
      if (limits.memoryBytes === undefined && limits.processes === undefined) return () => undefined;
      const one = { tree, limits, onExceeded };
      watched.add(one);
      timer ??= setTimeout(sample, SAMPLE_MS);
      return () => {
        watched.delete(one);
        if (watched.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
      };
    },
  };
}

function excessOf(tree: ProcessTree, limits: ExecutionLimits): TaskError | undefined {
  const { memoryBytes, processes } = limits;
  const count = tree.members.size;
  if (processes !== undefined && count > processes) {
    const details = { limit: 'processes', limitProcesses: processes, processes: count };
    return taskError('task_failed', `had ${count} processes, its limit is ${processes}`, { details });
  }
  if (memoryBytes === undefined) return undefined;
  let bytes = 0;
  for (const { rssBytes } of tree.members.values()) bytes += rssBytes;
  if (bytes <= memoryBytes) return undefined;
  // Resident sizes count a page once for each process that shares it. The proportional size does not, but costs more to ask for.
  bytes = 0;
  for (const [pid, { rssBytes }] of tree.members) bytes += proportionalBytes(pid) ?? rssBytes;
  return bytes > memoryBytes ? memoryLimitError(memoryBytes, { peakBytes: bytes }) : undefined;
}

function proportionalBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
