import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { stampOf, type Owner } from '../owner';
import { RUNNERS, RUNNERS_FOLDER } from '../subprocess/command';
import { removeFolder } from '../remove-folder';
import { ensureRoot } from '../workspace';

/** The programs that run code, where the engine can mount them from. */
export interface Runners {
  /** Makes the folder if it is missing. */
  folder(): string;
  remove(): Promise<void>;
}

/**
 * A copy in the work folder, the one folder that worker and engine share: a worker that is itself in a container has Lattice at a path
 * which means nothing to the engine.
 */
export function createRunners(workRoot: string, owner: Owner): Runners {
  // The number 0 is no execution's. As for those, the next worker removes it should this one die.
  const folder = path.join(workRoot, `${stampOf(owner)}~0`);
  return {
    folder() {
      const missing = RUNNERS.filter((name) => !existsSync(path.join(folder, name)));
      if (missing.length === 0) return folder;
      ensureRoot(workRoot, false);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of missing) {
        copyFileSync(path.join(RUNNERS_FOLDER, name), path.join(folder, name));
        chmodSync(path.join(folder, name), 0o444);
      }
      chmodSync(folder, 0o755);
      return folder;
    },
    remove: async () => void (await removeFolder(folder)),
  };
}
