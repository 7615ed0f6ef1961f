import { join } from 'node:path';
import type { HomePaths } from './home';
import { startProcess, type ManagedProcess } from './managed-process';
import { workerStopMs } from './worker-stop';

/** In the order of stopping: intake of work first, the view last. */
const appNames = ['worker', 'scheduler', 'api'] as const;

export interface StartApps {
  readonly paths: HomePaths;
  /** Holds NAME/dist/main.js for each app. */
  readonly appsDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** All three at once: the API migrates the database, the others wait for it by themselves. */
export function startApps({ paths, appsDir, env }: StartApps): ManagedProcess[] {
  return appNames.map((name) =>
    startProcess({
      paths,
      name,
      command: process.execPath,
      args: [join(appsDir, name, 'dist', 'main.js')],
      env,
      ...(name === 'worker' ? { stopMs: workerStopMs(env) } : {}),
      // Relative paths in the settings (LATTICE_HANDLERS) are those of the user's shell.
      cwd: process.cwd(),
    }),
  );
}
