import { LatticeError, isFinalRun, type RunStatus } from '@lattice/contracts';
import { forgetRounds, getRunBrief, getRunState, insertOutbox, reopenRun, type RunState } from '@lattice/persistence';
import type { Engine } from '../context';
import { mustFindWorkflow } from '../read/workflow-of';
import { ORDERS, nudge } from '../submit/nudge';
import { onItsWay } from './on-its-way';
import { roundsAnew } from './what-runs-again';

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
  if (!CONTROLS[control](state.status) && !(await willBePossible(engine, state, control))) {
    throw new LatticeError('illegal_transition', `Run ${runId} is ${state.status}: ${control} is not possible now.`);
  }
  if (control === 'retry') await reopen(engine, state);
  else await insertOutbox(engine.db, { kind: control, runId });
  nudge(engine, control === 'retry' ? '' : ORDERS);
}

/** A run that was asked to pause can be asked to go on before it has paused, and the other way round: orders are done one after the other. */
async function willBePossible(engine: Engine, { runId, status }: RunState, control: RunControl): Promise<boolean> {
  if (control === 'retry' || isFinalRun(status)) return false;
  return (await onItsWay(engine, runId)) === (control === 'resume' ? 'paused' : 'running');
}

/** Open at once: whoever asks for the state next, or waits for the end, sees the rerun and not the last time. */
async function reopen(engine: Engine, state: RunState): Promise<void> {
  const { runId } = state;
  const [workflow, found] = await Promise.all([
    mustFindWorkflow(engine, state.documentSha),
    getRunBrief(engine.db, runId),
  ]);
  const anew = roundsAnew(workflow, found?.times ?? []).map((key) => ({ runId, key }));
  await engine.db.transaction(async (session) => {
    // The epoch tells that nobody opened the run since; who did has written the wish.
    if ((await reopenRun(session, state)) === undefined) return;
    await forgetRounds(session, anew);
    await insertOutbox(session, { kind: 'retry', runId });
  });
}
