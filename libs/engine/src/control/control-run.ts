import { LatticeError, isFinalRun, type RunStatus } from '@lattice/contracts';
import { getRunState, insertOutbox, reopenRun } from '@lattice/persistence';
import type { Engine } from '../context';
import { nudge } from '../submit/nudge';

/** What may be asked of a run beside to cancel it, and in which states. */
const CONTROLS = {
  pause: (status: RunStatus): boolean => status === 'pending' || status === 'running' || status === 'waiting',
  resume: (status: RunStatus): boolean => status === 'paused',
  retry: (status: RunStatus): boolean => isFinalRun(status) && status !== 'completed',
} as const;
export type RunControl = keyof typeof CONTROLS;

/**
 * Asks the scheduler to pause or resume a run, or to run again what did not complete. Resolves when the wish is stored. Throws
 * `run_not_found`, and `illegal_transition` when the state of the run does not allow it.
 */
export async function requestControl(engine: Engine, runId: string, control: RunControl): Promise<void> {
  const state = await getRunState(engine.db, runId);
  if (state === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
  if (!CONTROLS[control](state.status)) {
    throw new LatticeError('illegal_transition', `Run ${runId} is ${state.status}: ${control} is not possible now.`);
  }
  await engine.db.transaction(async (session) => {
    // Open at once: whoever asks for the state next, or waits for the end, sees the rerun and not the last time.
    if (control === 'retry' && (await reopenRun(session, state)) === undefined) return;
    await insertOutbox(session, { kind: control, runId });
  });
  nudge(engine);
}
