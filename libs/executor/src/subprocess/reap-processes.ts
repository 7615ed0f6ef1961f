import { isAbandoned, parseStamp, type Owner } from '../owner';
import { listMarked } from './process-table';

const ROUNDS = 10;

/** Kills the processes of tasks whose worker is gone; returns how many. */
export function reapProcesses(self: Owner): number {
  const killed = new Set<number>();
  // A process may fork while it is being killed: until a look finds none.
  for (let round = 0; round < ROUNDS; round++) {
    const before = killed.size;
    for (const { pid, token } of listMarked()) {
      const owner = parseStamp(token);
      if (owner === undefined || !isAbandoned(owner, self) || pid === process.pid) continue;
      if (kill(pid)) killed.add(pid);
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
