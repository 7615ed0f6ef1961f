import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity } from './process-identity';

/**
 * `run/NAME.pid` holds the pid alone, so that `kill $(cat NAME.pid)` means what it says; the start time, which tells
 * the process from a later one with the same pid, lies beside it in `run/NAME.started`.
 */
export function writePidFile(run: string, name: string, identity: ProcessIdentity): void {
  writeFileSync(join(run, `${name}.started`), `${identity.started}\n`);
  writeFileSync(join(run, `${name}.pid`), `${identity.pid}\n`);
}

export function readPidFile(run: string, name: string): ProcessIdentity | undefined {
  try {
    const pid = Number(readFileSync(join(run, `${name}.pid`), 'utf8').trim());
    const started = readFileSync(join(run, `${name}.started`), 'utf8').trim();
    // 0 and 1 would mean "my own group" and "everything" to kill.
    return Number.isSafeInteger(pid) && pid > 1 && started !== '' ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the file of this process, and no newer one. */
export function removePidFile(run: string, name: string, identity: ProcessIdentity): void {
  const now = readPidFile(run, name);
  if (now && (now.pid !== identity.pid || now.started !== identity.started)) return;
  rmSync(join(run, `${name}.pid`), { force: true });
  rmSync(join(run, `${name}.started`), { force: true });
}

export interface Leftover extends ProcessIdentity {
  readonly name: string;
}

/** The processes of an earlier launcher that still live; files of dead ones are removed on the way. */
export function livingPidFiles(run: string): Leftover[] {
  const living: Leftover[] = [];
  for (const file of listRun(run)) {
    if (!file.endsWith('.pid')) continue;
    const name = file.slice(0, -'.pid'.length);
    const identity = readPidFile(run, name);
    if (identity && isAlive(identity)) living.push({ name, ...identity });
    else if (identity) removePidFile(run, name, identity);
    else rmSync(join(run, file), { force: true });
  }
  return living;
}

function listRun(run: string): string[] {
  try {
    return readdirSync(run);
  } catch {
    return [];
  }
}
