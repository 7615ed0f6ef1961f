import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process for good: pids come round again, a pid together with its start time does not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: clock ticks since boot and the boot id on Linux, the start date elsewhere. */
  readonly started: string;
}

/** The start time of a living process; undefined when there is none (a zombie counts as none). */
function processStart(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
}

export function identify(pid: number): ProcessIdentity | undefined {
  const started = processStart(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return processStart(identity.pid) === identity.started;
}

/** The command line of a living process, or an empty string. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 2_000 });
  } catch {
    return '';
  }
}

/** Signals a process, or its whole group; false when it is gone already. */
export function signal(
  identity: ProcessIdentity,
  name: NodeJS.Signals,
  target: 'process' | 'group' = 'process',
): boolean {
  if (target === 'process' && !isAlive(identity)) return false;
  try {
    process.kill(target === 'group' ? -identity.pid : identity.pid, name);
    return true;
  } catch {
    return false;
  }
}

let bootId: string | undefined;

function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name (field 2) may hold spaces and brackets: count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);
    return `${fields[19]}@${bootId}`;
  } catch {
    return undefined;
  }
}

function psStart(pid: number): string | undefined {
  try {
    const out = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 2_000,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    }).trim();
    return out === '' || out.startsWith('Z') ? undefined : out.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}
