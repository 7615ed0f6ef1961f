import { readdir, readFile, stat } from 'node:fs/promises';

/** A mapping of a file that has no name any more: `7f00-7f10 rw-s 0 08:01 42 /path (deleted)`. */
const DELETED = /^([0-9a-f]+)-([0-9a-f]+) .* \(deleted\)$/gm;

/**
 * Bytes on the disk of a folder in files that processes hold but that no folder names: deleted while they are open, or mapped. A count of
 * the folder does not see them.
 */
export async function hiddenBytes(pids: Iterable<number>, folder: string): Promise<number> {
  const disk = (await stat(folder).catch(() => undefined))?.dev;
  const found = new Map<number, number>();
  const note = async (file: string): Promise<boolean> => {
    const info = await stat(file).catch(() => undefined);
    if (info?.isFile() === true && info.nlink === 0 && info.dev === disk) found.set(info.ino, info.blocks * 512);
    return info !== undefined;
  };
  let mapped = 0;
  for (const pid of pids) {
    const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
    await Promise.all(open.map((name) => note(`/proc/${pid}/fd/${name}`)));
    const maps = await readFile(`/proc/${pid}/maps`, 'latin1').catch(() => '');
    for (const [, from = '0', to = '0'] of maps.matchAll(DELETED)) {
      // Only root may look at the file; to others its mapping tells how large it is at least.
      if (!(await note(`/proc/${pid}/map_files/${from}-${to}`)))
        mapped += Number(BigInt(`0x${to}`) - BigInt(`0x${from}`));
    }
  }
  return [...found.values()].reduce((sum, bytes) => sum + bytes, mapped);
}
