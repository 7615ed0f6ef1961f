import { readFileSync, statfsSync, statSync } from 'node:fs';
import type { ProcessTree } from './process-table';

/** From linux/magic.h. */
const TMPFS = 0x01021994;
/** About what the kernel takes for a file, however little is in it. */
const INODE_BYTES = 1_024;

export interface MemoryFiles {
  bytes: number;
  /** Of the file systems that were counted, as `/proc/PID/smaps` writes them. */
  devices: ReadonlySet<string>;
}

/** What file systems in memory hold, seen through processes that have them; those that nobody lets us look at count nothing. */
export function filesInMemory(tree: ProcessTree, folders: readonly string[]): MemoryFiles {
  const devices = new Set<string>();
  let bytes = 0;
  for (const folder of folders) {
    for (const pid of tree.members.keys()) {
      // The leader is the wrapper, which sees the machine's folder.
      if (pid === tree.leader) continue;
      try {
        const seen = `/proc/${pid}/root${folder}`;
        const info = statfsSync(seen);
        if (info.type !== TMPFS) continue;
        devices.add(deviceName(statSync(seen).dev));
        bytes += (info.blocks - info.bfree) * info.bsize + (info.files - info.ffree) * INODE_BYTES;
        break;
      } catch {
        // It has ended, or is not yet where it will be.
      }
    }
  }
  return { bytes, devices };
}

/** The proportional size of a process, without files of these file systems; undefined when it can't be had. */
export function proportionalBytes(pid: number, without: ReadonlySet<string>): number | undefined {
  try {
    if (without.size > 0) return sizeOfMappings(readFileSync(`/proc/${pid}/smaps`, 'latin1'), without);
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}

function sizeOfMappings(smaps: string, without: ReadonlySet<string>): number {
  let kilobytes = 0;
  let counts = true;
  // A mapping's first line has its addresses, rights, offset and device; its size is on a later one.
  for (const [, device, size] of smaps.matchAll(/^(?:[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) |Pss:\s+(\d+) kB)/gm)) {
    if (device !== undefined) counts = !without.has(device);
    else if (counts) kilobytes += Number(size);
  }
  return kilobytes * 1_024;
}

/** File systems that are on no disk have the major number 0. The library of C spreads the minor one over two places. */
function deviceName(device: number): string {
  const minor = (device & 0xff) | ((device >>> 12) & ~0xff);
  return `00:${minor.toString(16).padStart(2, '0')}`;
}
