import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { taskError, type TaskError } from '@lattice/contracts';
import type { ExecutionLimits } from './port';

/** Of the host's disk a sandboxed task reaches one folder only; it is measured so often, in milliseconds. */
const SAMPLE_MS = 50;
/** Above the limit of the output, for what is being written beside it and for the report of an error. */
const SLACK_BYTES = 64 * 1024 * 1024;
const MAX_ENTRIES = 10_000;

/** Calls `onExceeded` once when the folder that a task hands its output over in holds too much. Returns what ends the watch. */
export function watchOutput(
  folder: string,
  limits: ExecutionLimits,
  onExceeded: (error: TaskError) => void,
): () => void {
  const limitBytes = limits.outputBytes + SLACK_BYTES;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  async function sample(): Promise<void> {
    const used = await measure(folder, { bytes: 0, entries: 0 });
    if (ended) return;
    if (used.bytes <= limitBytes && used.entries <= MAX_ENTRIES) {
      timer = setTimeout(() => void sample(), SAMPLE_MS);
      return;
    }
    const message = `filled its output folder with ${used.bytes} bytes in ${used.entries} files; the limit is ${limitBytes} bytes, ${MAX_ENTRIES} files`;
    onExceeded(taskError('output_too_large', message, { details: { limit: 'disk', ...used, limitBytes } }));
  }

  timer = setTimeout(() => void sample(), SAMPLE_MS);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

interface Used {
  bytes: number;
  entries: number;
}

/** Links are not followed, and what goes away meanwhile counts as nothing. */
async function measure(folder: string, used: Used): Promise<Used> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (++used.entries > MAX_ENTRIES) return used;
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) await measure(file, used);
    // Blocks, not length: a file with holes takes no disk.
    else if (entry.isFile()) used.bytes += ((await stat(file).catch(() => undefined))?.blocks ?? 0) * 512;
  }
  return used;
}
