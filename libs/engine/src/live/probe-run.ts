import { isFinalRun } from '@lattice/contracts';
import { getRunState, readEvents } from '@lattice/persistence';
import type { Engine } from '../context';
import type { LiveListener } from './listener';

/** True when Postgres knows something about the run that the listeners waiting for it have not been told. */
export async function probeRun(engine: Engine, runId: string, listeners: readonly LiveListener[]): Promise<boolean> {
  const state = await getRunState(engine.db, runId);
  if (state === undefined || isFinalRun(state.status)) return true;
  const positions = listeners.flatMap((listener) => listener.position() ?? []);
  const [first, ...rest] = positions;
  if (first === undefined) return false;
  const lowest = rest.reduce((least, position) => (position < least ? position : least), first);
  return (await readEvents(engine.db, { runId, afterId: String(lowest), limit: 1 })).length > 0;
}
