import { taskError, type TaskError } from '@lattice/contracts';
import type { ControlGroup } from '../control-groups/control-group';
import { memoryLimitError } from '../outcome';
import type { ExecutionLimits } from '../port';
import { filesInMemory, proportionalBytes } from './memory-files';
import type { ProcessTable, ProcessTree } from './process-table';

/** How often use is measured, in milliseconds. */
const SAMPLE_MS = 50;
/** Sampling may take up to one in this many milliseconds of the event loop: on a machine with very many processes it becomes rarer. */
const LOAD_FRACTION = 20;

export interface Watchdog {
  /** Calls `onExceeded` once when the tree uses more than its limits. Returns what ends the watch. */
  watch(use: Use, onExceeded: (error: TaskError) => void): () => void;
}

/** Whose use is measured, against what. */
export interface Use {
  tree: ProcessTree;
  limits: ExecutionLimits;
  /** File systems of the processes' own that are in memory, by their paths as they see them: what they hold counts as theirs. */
  memoryFolders: readonly string[];
  /** Where the kernel holds them. */
  group?: ControlGroup | undefined;
}

interface Watched extends Use {
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
      const error = excessOf(one);
      if (error === undefined) continue;
      watched.delete(one);
      one.onExceeded(error);
    }
    const took = performance.now() - start;
    timer = watched.size === 0 ? undefined : setTimeout(sample, Math.max(SAMPLE_MS, took * LOAD_FRACTION));
  }

  return {
    watch(use, onExceeded) {
      const { limits } = use;
      if (limits.memoryBytes === undefined && limits.processes === undefined) return () => undefined;
      const one = { ...use, onExceeded };
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

function excessOf({ tree, limits, memoryFolders, group }: Use): TaskError | undefined {
  const { memoryBytes, processes } = limits;
  const count = tree.members.size;
  if (processes !== undefined && count > processes) {
    const details = { limit: 'processes', limitProcesses: processes, processes: count };
    return taskError('task_failed', `had ${count} processes, its limit is ${processes}`, { details });
  }
  if (memoryBytes === undefined) return undefined;
  // The kernel may have ended a child alone, for which the others would wait for ever.
  if (group?.ranOutOfMemory() === true) return memoryLimitError(memoryBytes, { peakBytes: group.peakBytes() });
  const files = filesInMemory(tree, memoryFolders);
  let { bytes } = files;
  for (const { rssBytes } of tree.members.values()) bytes += rssBytes;
  if (bytes <= memoryBytes) return undefined;
  // Resident sizes count a page once for each process that shares it, and once more when it is of a file in memory. The proportional
  // size of what is of no such file does not, but costs more to ask for.
  ({ bytes } = files);
  for (const [pid, { rssBytes }] of tree.members) bytes += proportionalBytes(pid, files.devices) ?? rssBytes;
  return bytes > memoryBytes ? memoryLimitError(memoryBytes, { peakBytes: bytes }) : undefined;
}
