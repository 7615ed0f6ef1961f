/** Keeps two starts in one checkout from installing or building at the same time. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Longer than any setup takes: a lock this old was left by a process whose pid has been given to another. */
const oldestMs = 15 * 60_000;

export async function withSetupLock(root, work) {
  const folder = join(root, '.lattice');
  const lock = join(folder, 'setup.lock');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await take(lock);
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
    console.error(
      `Lattice is to be installed or built first, and ${root} can't be written (${error.message}). ` +
        'Let its owner type `npm start -- --exit` once, or use a copy of your own.',
    );
    process.exit(1);
  }
  const drop = () => rmSync(lock, { force: true });
  // runStep ends the process when a step fails.
  process.once('exit', drop);
  try {
    return await work();
  } finally {
    process.off('exit', drop);
    drop();
  }
}

async function take(lock) {
  const draft = `${lock}.${process.pid}`;
  let told = false;
  writeFileSync(draft, String(process.pid));
  try {
    while (!tryLink(draft, lock)) {
      const holder = holderOf(lock);
      if (holder === undefined) {
        setAside(lock);
        continue;
      }
      if (!told) process.stderr.write(`Waiting for another start to finish setting up (process ${holder}) ...\n`);
      told = true;
      await delay(100);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A hard link is made or refused in one step; a written file could be seen half written. */
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The pid of the living holder, undefined when there is none. */
function holderOf(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > oldestMs) return undefined;
    const pid = Number(readFileSync(lock, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // The holder is alive, yet another user's.
    return error.code === 'EPERM' ? 'of another user' : undefined;
  }
}

/** Away from a dead holder; if a living one took it a moment ago, it is put back. */
function setAside(lock) {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (holderOf(aside) !== undefined) tryLink(aside, lock);
  rmSync(aside, { force: true });
}
