import { readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;
/** Descriptors of a task's process up to here are given by us. */
const FIRST_UNUSED = 5;

let highest: number | undefined;

/**
 * The highest file descriptor that this process got from its own parent and would hand on to every child, since nobody marked
 * it to be closed; 0 when there is none. Node marks its own, and of those it was given the first few.
 */
export function highestInherited(): number {
  highest ??= findHighest();
  return highest;
}

function findHighest(): number {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fdinfo');
  } catch {
    return 0;
  }
  return Math.max(0, ...names.map(Number).filter((fd) => fd >= FIRST_UNUSED && isHandedOn(fd)));
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // Closed between the two looks.
    return false;
  }
}
