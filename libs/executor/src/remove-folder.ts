import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, readdir, rename, rm } from 'node:fs/promises';

/** Bytes of a path above which what is below is brought up first: the kernel takes paths of less than 4,096. */
const LONG_PATH = 2_000;
const SEPARATOR = Buffer.from('/');

/**
 * Removes a folder in which nothing of a task runs any more; says whether it is gone. What can't be removed now (files of another
 * user, a file system gone away) is left to the next start's reaping.
 */
export async function removeFolder(folder: string): Promise<boolean> {
  if (await isRemoved(folder)) return true;
  await loosen(Buffer.from(folder));
  return isRemoved(folder);
}

async function isRemoved(folder: string): Promise<boolean> {
  return rm(folder, { recursive: true, force: true, maxRetries: 2 }).then(
    () => true,
    () => false,
  );
}

/**
 * Undoes what a task may have set against a worker that is to remove its files: folders that are closed, and folders in folders until no path
 * leads to the last of them. Folders only, no links to such: nothing outside is touched. Names are bytes: not all are text.
 */
async function loosen(root: Buffer): Promise<void> {
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    await open(folder);
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const inner = join(folder, entry.name);
      folders.push(inner.length > LONG_PATH ? await lift(inner, root) : inner);
    }
  }
}

async function open(folder: Buffer): Promise<void> {
  await chmod(folder, constants.S_IRWXU).catch(() => undefined);
}

/** Moves a folder to right below the root; returns where it is then. */
async function lift(folder: Buffer, root: Buffer): Promise<Buffer> {
  await open(folder);
  const target = join(root, Buffer.from(randomUUID()));
  return rename(folder, target).then(
    () => target,
    () => folder,
  );
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SEPARATOR, name]);
}
