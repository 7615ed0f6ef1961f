import { constants } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Removes a folder in which nothing of a task runs any more; says whether it is gone. What can't be removed now (files of another
 * user, a file system gone away) is left to the next start's reaping.
 */
export async function removeFolder(folder: string): Promise<boolean> {
  if (await isRemoved(folder)) return true;
  // A task may have closed folders of its own, against itself and so against a worker that is not root.
  await open(folder);
  return isRemoved(folder);
}

async function isRemoved(folder: string): Promise<boolean> {
  return rm(folder, { recursive: true, force: true, maxRetries: 2 }).then(
    () => true,
    () => false,
  );
}

/** Folders only, no links to such: nothing outside is touched. */
async function open(folder: string): Promise<void> {
  await chmod(folder, constants.S_IRWXU).catch(() => undefined);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await open(path.join(folder, entry.name));
}
