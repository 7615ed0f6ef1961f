import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { outsideHomes, type HomePaths } from '../home';
import { runCommand } from '../run-command';

/** The user "nobody" on Linux and the id that every user namespace can map to. */
const nobody = 65534;

/** How Postgres, which refuses to run as root, is started here. */
export interface PostgresHost {
  readonly native: string;
  readonly data: string;
  /** Where initdb builds before the data folder gets its name; on the same file system. */
  readonly scratch: string;
  readonly uid?: number;
  wrap(program: string, args: readonly string[]): { command: string; args: readonly string[] };
}

/**
 * An ordinary user runs it directly. Root puts it into a user namespace where it is nobody (the files stay root's), or,
 * where namespaces are forbidden (most containers), gives up root for it: then binaries and data must lie where
 * nobody can reach them, and move to /var/lib/lattice when the home does not allow that.
 */
export async function postgresHost(paths: HomePaths, native: string): Promise<PostgresHost> {
  const own = { native, data: paths.postgresData, scratch: scratchFor(paths.postgresData) };
  if (process.getuid?.() !== 0) return { ...own, wrap: (command, args) => ({ command, args }) };
  if (await canUnshare()) {
    return { ...own, wrap: (program, args) => ({ command: 'unshare', args: [...unshareArgs, program, ...args] }) };
  }
  return asNobody(paths, native);
}

const unshareArgs = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'] as const;

async function canUnshare(): Promise<boolean> {
  const { code } = await runCommand('unshare', [...unshareArgs, 'true'], { timeoutMs: 5_000 });
  return code === 0;
}

function asNobody(paths: HomePaths, native: string): PostgresHost {
  const hash = createHash('sha256').update(paths.home).digest('hex').slice(0, 12);
  const outside = join(outsideHomes, hash);
  const data = openToAll(paths.home) ? paths.postgresData : join(outside, 'postgres');
  makeOpen(outsideHomes);
  makeOpen(dirname(data));
  if (data !== paths.postgresData) linkTo(data, paths.postgresData);
  return {
    native: openToAll(native) ? native : copyOf(native),
    data,
    scratch: scratchFor(data),
    uid: nobody,
    wrap: (command, args) => ({ command, args }),
  };
}

/** So that the data is found from the home wherever it lies. */
function linkTo(data: string, link: string): void {
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(data, link);
}

/** Whether every folder on the way may be entered by anyone. */
function openToAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

const manifestSchema = z.object({ version: z.string().regex(/^[\w.-]+$/) });

/** The binaries where nobody can read them; one copy for every version of them. */
function copyOf(native: string): string {
  const { version } = manifestSchema.parse(JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')));
  const copy = join(outsideHomes, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  letAllRead(draft);
  try {
    renameSync(draft, copy);
  } catch {
    // Another start was faster; its copy is the same.
    rmSync(draft, { recursive: true, force: true });
  }
  return copy;
}

/** Root's umask may keep all others out. A folder that is there stays as it is. */
function makeOpen(folder: string): void {
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
}

function letAllRead(path: string): void {
  const info = lstatSync(path);
  if (info.isSymbolicLink()) return;
  // Who may enter or run it: whoever may read it.
  chmodSync(path, info.mode | 0o444 | ((info.mode & 0o100) === 0 ? 0 : 0o111));
  if (info.isDirectory()) for (const name of readdirSync(path)) letAllRead(join(path, name));
}

/** One's own: the initdb of a launcher that was killed may still be at work for a moment. */
function scratchFor(data: string): string {
  return `${data}.new.${process.pid}`;
}

/** Makes an empty folder that initdb may fill, and drops what earlier starts left half made. */
export function emptyScratch(host: PostgresHost): void {
  const folder = dirname(host.scratch);
  const prefix = `${basename(host.data)}.new.`;
  for (const name of readdirSync(folder).filter((one) => one.startsWith(prefix))) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
  mkdirSync(host.scratch, { mode: 0o700 });
  if (host.uid !== undefined) chownSync(host.scratch, host.uid, host.uid);
}
