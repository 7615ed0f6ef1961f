import { existsSync } from 'node:fs';
import path from 'node:path';
import { LatticeError } from '@lattice/contracts';
import type { Execution } from '../port';
import type { ScriptStart } from '../subprocess/launcher';
import { findScript } from './find-script';

/** The words that run a script. Its folder lies at the same path at all levels: scripts name it, and what is in it, by their paths. */
export function scriptWords({ folder, file, args }: ScriptStart): string[] {
  return [path.join(folder, file), ...args];
}

/** What tells a script where its folder is. */
export function scriptEnvironment(folder: string | undefined): Record<string, string> {
  return folder === undefined ? {} : { LATTICE_SCRIPTS: folder };
}

/** The script of an execution, with its arguments; undefined for all else. Throws as `findScript`. */
export async function scriptOf(execution: Execution): Promise<ScriptStart | undefined> {
  if (execution.uses !== 'script') return undefined;
  const { folder, path: name, args } = execution.script;
  return { ...(await findScript(folder, name)), args };
}

/** Throws `language_unavailable` when the program of the `#!` line is not on this machine. */
export function mustHaveInterpreter({ file, interpreter }: ScriptStart): void {
  if (interpreter === undefined || !path.isAbsolute(interpreter) || existsSync(interpreter)) return;
  throw new LatticeError(
    'language_unavailable',
    `the program of the #! line of ${JSON.stringify(file)}, ${interpreter}, is not on this worker`,
  );
}
