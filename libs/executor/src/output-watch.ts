import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { taskError, type TaskError } from '@lattice/contracts';
import { hiddenBytes } from './hidden-files';
import type { Execution } from './port';
import type { Workspace } from './workspace';

/** Of the host's disk a sandboxed task reaches two folders only; they are measured so often, in milliseconds. */
const SAMPLE_MS = 50;
/** Above the limit of the output, for what is being written beside it and for the report of an error. */
const SLACK_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 10_000;
/** Files that are deleted but still held are looked for with every so many samples: it takes a look at each process. */
const HIDDEN_EVERY = 5;

/** A folder of the host's disk that a task may write to, and how much of it. */
export interface Bounds {
  readonly folder: string;
  /** For the message. */
  readonly name: string;
  readonly limitBytes: number;
  readonly limitEntries: number;
  readonly code: 'output_too_large' | 'artifacts_too_large';
}

/** Bounds of what a task writes to outside of itself. */
export function boundsOf({ limits, artifacts }: Execution, workspace: Workspace): Bounds[] {
  return [
    {
      folder: workspace.outputFolder,
      name: 'output folder',
      limitBytes: limits.outputBytes + SLACK_BYTES,
      limitEntries: MAX_ENTRIES,
      code: 'output_too_large',
    },
    {
      folder: workspace.artifacts,
      name: 'folder of artifacts',
      limitBytes: artifacts?.maxBytes ?? SLACK_BYTES,
      // Folders count here, and files that are to go before the end.
      limitEntries: Math.max(MAX_ENTRIES, 2 * (artifacts?.maxCount ?? 0)),
      code: 'artifacts_too_large',
    },
  ];
}

/**
 * Calls `onExceeded` once when one of the folders holds too much, or the processes hold too much that was deleted from it. Returns what
 * ends the watch.
 */
export function watchOutput(
  bounds: readonly Bounds[],
  onExceeded: (error: TaskError) => void,
  pids: () => Iterable<number> = () => [],
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let samples = 0;

  async function sample(): Promise<void> {
    samples += 1;
    for (const one of bounds) {
      const used = await measure(one, one.folder, { bytes: 0, entries: 0 });
      if (samples % HIDDEN_EVERY === 0) used.bytes += await hiddenBytes(pids(), one.folder);
      if (ended) return;
      if (used.bytes <= one.limitBytes && used.entries <= one.limitEntries) continue;
      onExceeded(excess(one, used));
      return;
    }
    timer = setTimeout(() => void sample(), SAMPLE_MS);
  }

  timer = setTimeout(() => void sample(), SAMPLE_MS);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

function excess({ name, limitBytes, limitEntries, code }: Bounds, used: Used): TaskError {
  const message = `filled its ${name} with ${used.bytes} bytes in ${used.entries} files; the limit is ${limitBytes} bytes, ${limitEntries} files`;
  return taskError(code, message, { details: { limit: 'disk', ...used, limitBytes } });
}

interface Used {
  bytes: number;
  entries: number;
}

/** Links are not followed, and what goes away meanwhile counts as nothing. */
async function measure(bounds: Bounds, folder: string, used: Used): Promise<Used> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (++used.entries > bounds.limitEntries) return used;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) await measure(bounds, file, used);
    else if (entry.isFile()) used.bytes += await bytesOf(file);
  }
  return used;
}

/** A file with holes takes less of the disk than its length, a short one takes a whole block. */
async function bytesOf(file: string): Promise<number> {
  const info = await stat(file).catch(() => undefined);
  return info === undefined ? 0 : Math.min(info.size, info.blocks * 512);
}
