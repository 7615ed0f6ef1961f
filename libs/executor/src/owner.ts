import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Who started a process, container or folder. Its text form (the stamp) is in the environment of every process of a task, in
 * the labels of containers and in the names of folders, so that the next worker can tell what a dead one left behind.
 */
export interface Owner {
  workerId: string;
  /** Process ids mean something only within one pid namespace. */
  namespace: string;
  pid: number;
  /** Kernel ticks since boot at which the process started: tells it from a later one with the same pid. */
  startTime: string;
}

export const OWNER_VARIABLE = 'LATTICE_OWNER';

export function thisOwner(workerId: string): Owner {
  return {
    workerId: workerId.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80),
    namespace: pidNamespace(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '0',
  };
}

/** WORKER~NAMESPACE.PID.STARTTIME; a token adds ~NUMBER, one per execution. */
export function stampOf(owner: Owner): string {
  return `${owner.workerId}~${owner.namespace}.${owner.pid}.${owner.startTime}`;
}

let executions = 0;

/** A token that no other execution of this process has, at whatever level. */
export function nextToken(owner: Owner): string {
  return `${stampOf(owner)}~${++executions}`;
}

/** The owner in a stamp or token; undefined when the text is neither. */
export function parseStamp(text: string): Owner | undefined {
  const match = /^([A-Za-z0-9_.-]+)~(\d+)\.(\d+)\.(\d+)(?:~\d+)?$/.exec(text);
  if (match === null) return undefined;
  const [, workerId = '', namespace = '', pid = '', startTime = ''] = match;
  return { workerId, namespace, pid: Number(pid), startTime };
}

/**
 * True when nobody looks after what this owner started: its process is gone. In another pid namespace that can't be seen, so
 * there only an equal worker id counts: a worker's id is its own, so the other one was its predecessor.
 */
export function isAbandoned(owner: Owner, self: Owner): boolean {
  if (owner.namespace !== self.namespace) return owner.workerId === self.workerId;
  return startTimeOf(owner.pid) !== owner.startTime;
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** Undefined when there is no such process. Without /proc every living process has the start time 0. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    try {
      process.kill(pid, 0);
      return process.platform === 'linux' ? undefined : '0';
    } catch {
      return undefined;
    }
  }
}
