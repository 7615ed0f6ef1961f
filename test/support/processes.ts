import { readFileSync, readdirSync } from 'node:fs';

/**
 * Ids of the processes of an attempt, by the mark in their environment: `<run>.<epoch>.<task>.<attempt>`. The begin of it, up to a
 * dot, names all attempts of a run or task.
 */
export function processesOf(execution: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`LATTICE_EXECUTION=${execution}`)
      );
    } catch {
      // It has ended, or is none of ours.
      return false;
    }
  });
}
