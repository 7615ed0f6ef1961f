import { OWNER_LABEL } from './docker/container-spec';
import { connectEngine } from './docker/engine';
import { reapContainers } from './docker/reap-containers';
import { TaskFault } from './outcome';
import { isAbandoned, parseStamp, type Owner } from './owner';
import { reapProcesses } from './subprocess/reap-processes';
import { listMarked } from './subprocess/process-table';

const LIST_MS = 10_000;

/**
 * Whether a worker process lives, or anything that it started still runs. What it left behind is ended on the way, so that a later
 * look finds nothing. Where that can't be told, it counts as there.
 */
export async function stillThere(stamp: string, self: Owner, socketPath?: string): Promise<boolean> {
  const owner = parseStamp(stamp);
  if (owner === undefined) return false;
  if (owner.namespace === self.namespace) {
    if (!isAbandoned(owner, self)) return true;
    if (listMarked().some(({ token }) => token.startsWith(`${stamp}~`))) {
      reapProcesses(self);
      return true;
    }
  }
  return hasContainers(stamp, self, socketPath);
}

async function hasContainers(stamp: string, self: Owner, socketPath: string | undefined): Promise<boolean> {
  const engine = connectEngine(socketPath);
  try {
    const list = await engine.call(
      'list containers',
      async (abortSignal) => engine.client.listContainers({ filters: { label: [OWNER_LABEL] }, abortSignal }),
      LIST_MS,
    );
    if (!list.some(({ Labels }) => (Labels[OWNER_LABEL] ?? '').startsWith(`${stamp}~`))) return false;
    await reapContainers(self, socketPath);
    return true;
  } catch (error) {
    // No engine, no containers; one that does not answer may have some.
    return !(error instanceof TaskFault && error.error.code === 'docker_unavailable');
  }
}
