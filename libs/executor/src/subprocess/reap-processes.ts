import { isAbandoned, parseStamp, type Owner } from '../owner';
import { listMarked } from './process-table';

const ROUNDS = 10;

/** Kills the processes of tasks whose worker is gone; returns how many. */
export function reapProcesses(self: Owner): number {
  return killMarked((token) => {
    const owner = parseStamp(token);
    return owner !== undefined && isAbandoned(owner, self);
  });
}

/** Kills the processes whose mark is picked; returns how many. */
export function killMarked(picks: (token: string) => boolean): number {
  const killed = new Set<number>();
  // A process may fork while it is being killed: until a look finds none.
  for (let round = 0; round < ROUNDS; round++) {
    const before = killed.size;
    for (const { pid, token } of listMarked()) {
      if (pid !== process.pid && picks(token) && kill(pid)) killed.add(pid);
    }
    if (killed.size === before) break;
  }
  return killed.size;
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
