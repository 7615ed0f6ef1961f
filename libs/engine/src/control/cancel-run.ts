import { LatticeError, isFinalRun } from '@lattice/contracts';
import { getRunState, insertOutbox } from '@lattice/persistence';
import type { Engine } from '../context';
import { ORDERS, nudge } from '../submit/nudge';

/**
 * Asks the scheduler to cancel a run. Resolves when the wish is stored; the run is `cancelled` when nothing of it runs any
 * more. Asking twice is harmless. Throws `run_not_found`, `illegal_transition` when it has ended.
 */
export async function requestCancel(engine: Engine, runId: string, reason: string): Promise<void> {
  const state = await getRunState(engine.db, runId);
  if (state === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
  if (isFinalRun(state.status)) {
    throw new LatticeError('illegal_transition', `Run ${runId} is ${state.status}: it cannot be cancelled.`);
  }
  await insertOutbox(engine.db, { kind: 'cancel', runId, payload: { reason } });
  nudge(engine, ORDERS);
}
