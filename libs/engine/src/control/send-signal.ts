import { LatticeError, approvalSchema, fault, faultsOf, isFinalRun, signalNameSchema } from '@lattice/contracts';
import { getRunState, insertOutbox, sendSignal } from '@lattice/persistence';
import type { Engine } from '../context';
import { workflowOf } from '../read/workflow-of';
import { nudge } from '../submit/nudge';

/** Something said to a run. */
export interface SentSignal {
  readonly runId: string;
  readonly name: string;
  readonly payload: unknown;
  /** Who says it: told to the task that takes it. */
  readonly sender: string;
}

/**
 * Says something to a run; a task that waits for a signal of that name takes it, also when it begins to wait only later. Each
 * signal is taken by one task. Throws `bad_request` (also for an answer that an approval could not read), `run_not_found`, and `illegal_transition` when the run has ended.
 */
export async function signalRun(engine: Engine, signal: SentSignal): Promise<void> {
  const { runId, name, payload } = signal;
  const checked = signalNameSchema.safeParse(name);
  if (!checked.success)
    throw new LatticeError('bad_request', `"${name}" is not a name of a signal.`, {
      faults: faultsOf(checked.error).map(({ message }) => fault('bad_value', '/name', message)),
    });
  const state = await getRunState(engine.db, runId);
  if (state === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
  if (isFinalRun(state.status))
    throw new LatticeError('illegal_transition', `Run ${runId} is ${state.status}: nobody waits for signals there.`);
  await checkAnswer(engine, state.documentSha, signal);
  await engine.db.transaction(async (session) => {
    await sendSignal(session, { ...signal, payload });
    await insertOutbox(session, { kind: 'signal', runId, payload: { name } });
  });
  nudge(engine);
}

/** A task that asks for an approval would fail by an answer that is none: it is refused here, and the task goes on waiting. */
async function checkAnswer(engine: Engine, documentSha: string, { name, payload }: SentSignal): Promise<void> {
  const workflow = await workflowOf(engine, documentSha);
  const asks = [...(workflow?.tasks.values() ?? [])].some(
    ({ control }) => control?.kind === 'wait' && control.for.what === 'approval' && control.for.name === name,
  );
  const answer = approvalSchema.safeParse(payload);
  if (!asks || answer.success) return;
  throw new LatticeError(
    'bad_request',
    `"${name}" asks for an approval: send {"approved": true} or {"approved": false}.`,
    {
      faults: faultsOf(answer.error),
    },
  );
}
