import { constants } from 'node:fs';
import { access, open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { LatticeError, scriptPathFault } from '@lattice/contracts';
import { fieldOf, messageOf } from '../thrown';

/** A script as it lies on this machine, all links followed. */
export interface FoundScript {
  /** Absolute path of the folder of scripts. */
  readonly folder: string;
  /** Path of the file below the folder, with `/`. */
  readonly file: string;
  /** Program of its `#!` line, absolute or not; undefined for a program of its own. */
  readonly interpreter: string | undefined;
}

/** The kernel reads no longer `#!` line. */
const HEAD_BYTES = 256;
const ELF = '\x7fELF';

/**
 * The executable file of that name in the folder. Throws LatticeError: `script_refused` for a path that is not below the folder, by itself or by
 * a link, `script_not_found`, `script_not_executable`.
 */
export async function findScript(folder: string, name: string): Promise<FoundScript> {
  const shown = JSON.stringify(name);
  const fault = scriptPathFault(name);
  if (fault !== undefined) throw new LatticeError('script_refused', `${shown} is no path of a script: ${fault}`);
  const root = await realpath(folder).catch((error: unknown) => {
    throw new LatticeError(
      'script_not_found',
      `the folder of scripts of this worker can't be read: ${messageOf(error)}`,
    );
  });
  const file = await realpath(path.join(root, name)).catch((error: unknown) => {
    throw notReached(shown, error);
  });
  const below = path.relative(root, file);
  if (below === '' || below === '..' || below.startsWith('../'))
    throw new LatticeError('script_refused', `${shown} is a link that leads out of the folder of scripts`);
  if (!(await stat(file)).isFile()) throw new LatticeError('script_not_found', `${shown} is not a file`);
  const may = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!may)
    throw notExecutable(`${shown} may not be executed by the worker: chmod +x, or a file system mounted with noexec`);
  return { folder: root, file: below, interpreter: interpreterOf(await headOf(file), shown) };
}

function notReached(shown: string, error: unknown): LatticeError {
  switch (fieldOf(error, 'code')) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new LatticeError(
        'script_not_found',
        `there is no script ${shown} in the folder of scripts of this worker`,
      );
    case 'ELOOP':
      return new LatticeError('script_refused', `${shown} is a link that leads in a circle`);
    case 'ENAMETOOLONG':
      return new LatticeError('script_refused', `${shown} is too long`);
    default:
      return notExecutable(`${shown} can't be reached by the worker: ${messageOf(error)}`);
  }
}

/** A shell would run what has neither as its own words; the kernel does not, and neither do we. */
function interpreterOf(head: string | undefined, shown: string): string | undefined {
  if (head === undefined || head.startsWith(ELF)) return undefined;
  const [, interpreter] = /^#!\s*([^\s]+)/.exec(head) ?? [];
  if (interpreter === undefined) throw notExecutable(`${shown} has no #! line: begin it with one such as #!/bin/sh`);
  if (/^#![^\n]*\r\n/.test(head)) throw notExecutable(`the lines of ${shown} end as on Windows: save it with LF alone`);
  return interpreter;
}

/** The begin of a file; undefined for a program that may be executed but not read. */
async function headOf(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function notExecutable(message: string): LatticeError {
  return new LatticeError('script_not_executable', message);
}
