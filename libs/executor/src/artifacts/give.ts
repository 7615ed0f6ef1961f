import { chmodSync, chownSync, createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LatticeError } from '@lattice/contracts';
import type { GivenFile } from './port';

const READ_ONLY = 0o444;
const PASSABLE = 0o755;

/** Writes files that a task is given below a folder, read-only. `uid`: their owner, when it is not the worker's user. */
export async function giveFiles(
  folder: string,
  files: readonly GivenFile[],
  { uid, signal }: { uid: number | undefined; signal: AbortSignal },
): Promise<void> {
  for (const file of files) {
    const target = path.join(folder, file.name);
    if (!target.startsWith(folder + path.sep))
      throw new LatticeError('bad_value', `not a name for a file: ${file.name}`);
    makeFolders(folder, path.dirname(file.name), uid);
    await pipeline(await file.read(signal), createWriteStream(target, { flags: 'wx', mode: 0o600 }), { signal });
    if (uid !== undefined) chownSync(target, uid, uid);
    chmodSync(target, READ_ONLY);
  }
}

function makeFolders(root: string, below: string, uid: number | undefined): void {
  let folder = root;
  for (const segment of ['', ...below.split('/').filter((part) => part !== '.')]) {
    folder = path.join(folder, segment);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, PASSABLE);
    if (uid !== undefined) chownSync(folder, uid, uid);
  }
}
