import { delimiter, join } from 'node:path';
import { EmbeddedError, embeddedCodes } from './errors';
import { cacheFolder, type Env } from './home';
import { installCommand } from './install-command';
import { runCommand } from './run-command';
import { unpackPackages } from './unpack-packages';

const names = {
  debian: 'python3',
  fedora: 'python3',
  arch: 'python',
  alpine: 'python3',
  suse: 'python3',
  darwin: 'python3',
};

export interface PythonOptions {
  /** Where to unpack it when the home's cache can't be written. */
  readonly home: string;
  readonly log: (line: string) => void;
  /** Default: the environment of this process. */
  readonly env?: Env;
}

/**
 * A PATH on which `python3` runs: the given one, else with Debian's own Python in front, unpacked without root (6 MB, once).
 * For tests: a worker uses what its machine has. Throws EmbeddedError `python_missing`, which says what to type.
 */
export async function pathWithPython({ home, log, env = process.env }: PythonOptions): Promise<string> {
  const path = env['PATH'] ?? '';
  if (await pythonRuns('python3', { PATH: path, PYTHONDONTWRITEBYTECODE: '1' })) return path;
  const programs = (root: string): string => join(root, 'usr', 'bin');
  // It may write what it compiles: a package that is only unpacked comes without, and would compile in every task.
  const works = (root: string): Promise<boolean> => pythonRuns(join(programs(root), 'python3'), { PATH: path });
  const root = await unpackPackages({ main: 'python3', usual: [], works }, { cache: cacheFolder(home, env), env, log });
  if (root !== undefined) return [programs(root), path].filter((part) => part !== '').join(delimiter);
  const command = installCommand(names);
  throw new EmbeddedError(
    embeddedCodes.pythonMissing,
    `The tests need Python 3, and there is none on PATH or to be unpacked from a package. ${command ? `Type: ${command}` : 'Install it, so that python3 runs.'}`,
  );
}

async function pythonRuns(command: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const look = ['-c', 'import asyncio, atexit, json, traceback'];
  return (await runCommand(command, look, { timeoutMs: 10_000, env })).code === 0;
}
