import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LatticeError } from '@lattice/contracts';
import { messageOf } from '../thrown';

const run = promisify(execFile);
/** Where the kernel counts threads instead of processes: a process may have so many. */
const THREADS_PER_PROCESS = 32;
/** All of a task have no more than so many: the worker looks at each, and a machine full of them gets to nothing else. */
const MOST_THREADS = 1_024;
const PROBE_MS = 10_000;
const NO_CORE = ['prlimit', '--core=0'] as const;
const NO_CORE_FEW_FILES = [...NO_CORE, '--nofile=4096'] as const;

/** What this machine offers for running tasks. Asked once, at the first task. */
export interface Tools {
  /** prlimit of util-linux with the limits that every task gets; undefined when there is none. */
  prlimit(): Promise<readonly string[] | undefined>;
  /** setpriv of util-linux works and knows --pdeathsig. */
  setpriv(): Promise<boolean>;
  /** The interpreter itself, not a version manager's shim: shims are slow and need the worker's environment. */
  python(): Promise<string>;
}

export function createTools(pythonCommand: string): Tools {
  return {
    prlimit: once(findPrlimit),
    setpriv: once(() => works('setpriv', ['--pdeathsig', 'KILL', 'true'])),
    python: once(() => findPython(pythonCommand)),
  };
}

/** A worker whose own limit of open files is lower than ours may not raise it, and need not. */
async function findPrlimit(): Promise<readonly string[] | undefined> {
  for (const words of [NO_CORE_FEW_FILES, NO_CORE]) {
    const [file = '', ...args] = words;
    if (await works(file, [...args, 'true'])) return words;
  }
  return undefined;
}

async function findPython(command: string): Promise<string> {
  try {
    const { stdout } = await run(command, ['-c', 'import sys; print(sys.executable)'], { timeout: PROBE_MS });
    return stdout.trim();
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    throw new LatticeError(
      'language_unavailable',
      `${command} does not run on this worker (${reason}); install it there, for instance: sudo apt-get install python3`,
    );
  }
}

async function works(command: string, args: string[]): Promise<boolean> {
  return run(command, args, { timeout: PROBE_MS }).then(
    () => true,
    () => false,
  );
}

/** Remembers the answer, but not an error: what is missing may be installed while the worker runs. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}

/** What the kernel, which counts threads, holds a task of so many processes to. */
export function threadLimit(processes: number): number {
  return Math.max(processes, Math.min(processes * THREADS_PER_PROCESS, MOST_THREADS));
}
