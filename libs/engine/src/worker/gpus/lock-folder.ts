import { spawn } from 'node:child_process';
import { constants, type BigIntStats } from 'node:fs';
import { mkdir, chmod, open, readdir, stat, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that this process has locked. The lock holds until every process that has the descriptor has closed it. */
export interface Lock {
  readonly name: string;
  /** Given to children, it keeps the lock for as long as one of them lives; undefined where there is none to give. */
  readonly fd: number | undefined;
  /** Closes this process's hold. */
  close(): Promise<void>;
}

/**
 * Files of one folder with locks of the operating system. A lock belongs to the open file, not to a process: it survives the
 * process that took it while a child has the descriptor, and ends with the last of them, whatever ends them.
 */
export interface LockFolder {
  names(): Promise<string[]>;
  /** Makes a file with this text, locked. */
  create(name: string, text: string): Promise<Lock>;
  /** The text of a file; undefined when it is gone. */
  read(name: string): Promise<string | undefined>;
  isHeld(name: string): Promise<boolean>;
  remove(name: string): Promise<void>;
  /** Works while nobody else on this host does; gives the work the text of the file, and stores what it returns. */
  exclusively(name: string, work: (text: string) => Promise<string>): Promise<void>;
}

const HELD = 9;
const WAIT_SECONDS = '10';
/** The descriptor's number in the program that locks it. */
const CHILD_FD = '3';

/**
 * The real one. Node has no flock: the program `flock` of util-linux locks a descriptor that it inherits, and the lock stays
 * when it ends, for this process has the same open file. Rejects where there is no such program.
 */
export function openLockFolder(folder: string): LockFolder {
  const path = (name: string): string => join(folder, name);

  async function openFile(name: string): Promise<FileHandle | undefined> {
    return open(path(name), constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent);
  }

  async function create(name: string, text: string): Promise<Lock> {
    await ensure(folder);
    await writeFile(path(name), text, { flag: 'wx', mode: 0o644 });
    try {
      const file = await openLocked(name);
      return { name, fd: file.fd, close: () => file.close() };
    } catch (error) {
      // Its text names a process that lives: it would count as a lease of that.
      await unlink(path(name)).catch(absent);
      throw error;
    }
  }

  async function openLocked(name: string): Promise<FileHandle> {
    // Who inherits it may not write to it.
    const file = await open(path(name), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      if (await flock(file.fd, ['-n'])) return file;
      throw new Error(`${path(name)} is locked by somebody else`);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  return {
    create,
    names: () => readdir(folder).catch(() => []),
    async read(name) {
      const file = await openFile(name);
      try {
        return file === undefined ? undefined : await file.readFile('utf8');
      } finally {
        await file?.close();
      }
    },
    async isHeld(name) {
      const file = await openFile(name);
      try {
        return file !== undefined && !(await flock(file.fd, ['-n']));
      } finally {
        await file?.close();
      }
    },
    async remove(name) {
      await unlink(path(name)).catch(absent);
    },
    async exclusively(name, work) {
      await ensure(folder);
      const file = await openShared(path(name));
      try {
        if (!(await flock(file.fd, ['-w', WAIT_SECONDS]))) throw new Error(`${path(name)} is locked for too long`);
        const text = await work(await file.readFile('utf8'));
        await file.truncate(0);
        await file.write(text, 0);
      } finally {
        await file.close();
      }
    },
  };
}

/** A file that workers of all users write to. Linux refuses O_CREAT on another's file in such a folder, so that comes second. */
async function openShared(path: string): Promise<FileHandle> {
  const found = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(absent);
  if (found !== undefined) return found;
  const made = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666);
  await made.chmod(0o666).catch(() => undefined);
  return made;
}

/** Not by its class: errors of the runtime may come from another realm. */
export function isAbsence(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

function absent(error: unknown): undefined {
  if (isAbsence(error)) return undefined;
  throw error;
}

/** Workers of different users of a host share the folder; none may remove another's file. */
async function ensure(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await chmod(folder, 0o1777);
  const info: BigIntStats = await stat(folder, { bigint: true });
  if (!info.isDirectory()) throw new Error(`${folder} is no folder`);
}

/** True when the descriptor is locked now; false when somebody else holds it. */
function flock(fd: number, how: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', '-E', String(HELD), ...how, CHILD_FD], {
      stdio: ['ignore', 'ignore', 'ignore', fd],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    });
    child.once('error', (error) => reject(new Error(`GPUs need the program flock of util-linux: ${error.message}`)));
    child.once('exit', (code) => {
      if (code === 0) resolve(true);
      else if (code === HELD) resolve(false);
      else reject(new Error(`flock ended with ${code}`));
    });
  });
}
