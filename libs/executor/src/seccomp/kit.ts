import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stampOf, type Owner } from '../owner';
import { RUNNERS, RUNNERS_FOLDER } from '../subprocess/command';
import { removeFolder } from '../remove-folder';
import { ensureRoot } from '../workspace';

const FILES = {
  passwd: 'nobody:x:65534:65534:nobody:/tmp/work:/bin/sh\n',
  group: 'nogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/**
 * A folder with the runners and the few files of /etc that sandboxes get instead of the machine's own. A copy, because the
 * user of sandboxes need not be able to reach the place where Lattice is installed.
 */
export interface Kit {
  folder: string;
  remove(): Promise<void>;
}

export function makeKit(root: string, owner: Owner, forOthers: boolean): Kit {
  ensureRoot(root, forOthers);
  // The stamp as its name, so that the next worker removes it should this one die.
  const folder = path.join(root, stampOf(owner));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of RUNNERS) copyFileSync(path.join(RUNNERS_FOLDER, name), path.join(folder, name));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(folder, name), text);
  if (forOthers) {
    for (const name of [...RUNNERS, ...Object.keys(FILES)]) chmodSync(path.join(folder, name), 0o644);
    chmodSync(folder, 0o755);
  }
  return { folder, remove: async () => void (await removeFolder(folder)) };
}
