import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { EmbeddedError, embeddedCodes, systemCode } from './errors';
import { identify, isAlive } from './process-identity';
import type { HomePaths } from './home';

const lockSchema = z.object({
  /** Tells one hold from the next of the same process. */
  id: z.string(),
  pid: z.number().int(),
  started: z.string(),
  url: z.string().nullable(),
});

/** Who uses a home now: its process, and the URL it serves (null: services only). */
export type LauncherLock = z.infer<typeof lockSchema>;

/** Takes the home for this process, or throws `home_busy` with the URL of the one that has it. */
export function takeLock(paths: HomePaths, url: string | null): LauncherLock {
  const self = identify(process.pid);
  if (!self) throw new EmbeddedError(embeddedCodes.serviceFailed, 'the start time of this process cannot be read');
  const lock: LauncherLock = { id: randomUUID(), ...self, url };
  const draft = `${paths.lock}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(lock)}\n`);
  try {
    for (;;) {
      if (tryLink(draft, paths.lock)) return lock;
      const holder = readLock(paths);
      if (holder && isAlive(holder)) throw busy(paths, holder);
      if (holder || !emptyNow(paths)) dropDead(paths);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Tells others where this launcher serves. */
export function publishUrl(paths: HomePaths, lock: LauncherLock, url: string): void {
  const draft = `${paths.lock}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ ...lock, url })}\n`);
  renameSync(draft, paths.lock);
}

export function releaseLock(paths: HomePaths, lock: LauncherLock): void {
  if (holdsLock(paths, lock)) rmSync(paths.lock, { force: true });
}

function holdsLock(paths: HomePaths, lock: LauncherLock): boolean {
  return readLock(paths)?.id === lock.id;
}

export function readLock(paths: HomePaths): LauncherLock | undefined {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(paths.lock, 'utf8')));
  } catch {
    return undefined;
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function emptyNow(paths: HomePaths): boolean {
  try {
    readFileSync(paths.lock);
    return false;
  } catch {
    return true;
  }
}

/**
 * Two starters may find the same dead lock. Renaming it away is atomic; whoever finds that he renamed a living one
 * (the other was faster) puts it back.
 */
function dropDead(paths: HomePaths): void {
  const aside = `${paths.lock}.dead.${process.pid}`;
  try {
    renameSync(paths.lock, aside);
  } catch {
    return;
  }
  const moved = readLock({ ...paths, lock: aside });
  if (moved && isAlive(moved)) tryLink(aside, paths.lock);
  rmSync(aside, { force: true });
}

function busy(paths: HomePaths, holder: LauncherLock): EmbeddedError {
  const where = holder.url ? ` at ${holder.url}` : '';
  return new EmbeddedError(
    embeddedCodes.homeBusy,
    `Lattice already runs in ${paths.home}${where} (process ${holder.pid}). Use it, stop it first, or set LATTICE_HOME to another folder.`,
    { home: paths.home, pid: holder.pid, url: holder.url },
  );
}
