const MOST_BYTES = 256 * 1024 * 1024;
/** Of the worker's memory, by default: tasks are promised all of it. */
const SHARE = 1 / 8;

/** Memory for interpreters that are started ahead of code tasks: what the worker was told (LATTICE_WARM), else a share of what it has. */
export function warmBytesOf(told: number | undefined, memoryBytes: number): number {
  return told ?? Math.min(MOST_BYTES, Math.floor(memoryBytes * SHARE));
}
