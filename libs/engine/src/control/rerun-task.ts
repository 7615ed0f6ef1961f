import { LatticeError, isFinalRun } from '@lattice/contracts';
import { forgetRounds, getRunBrief, getRunState, insertOutbox, reopenRun } from '@lattice/persistence';
import type { Engine } from '../context';
import { mustFindWorkflow } from '../read/workflow-of';
import { nudge } from '../submit/nudge';
import { rerunTasks, roundsAnew } from './what-runs-again';

/**
 * Opens a run that has ended, so that a task of it is done again with all that is downstream of it; the run keeps its id and
 * the other results. Rounds and sub-workflows of what is done again begin anew. `downstream: false` is for the task alone. Resolves when the wish is stored. Throws `run_not_found`,
 * `task_not_found`, and `illegal_transition` when the run has not ended.
 */
export async function requestRerun(
  engine: Engine,
  runId: string,
  asked: { task: string; downstream: boolean },
): Promise<void> {
  const state = await getRunState(engine.db, runId);
  if (state === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
  const workflow = await mustFindWorkflow(engine, state.documentSha);
  if (!workflow.tasks.has(asked.task)) {
    throw new LatticeError('task_not_found', `Run ${runId} has no task "${asked.task}".`);
  }
  if (!isFinalRun(state.status)) throw notEnded(runId, state.status);
  const found = await getRunBrief(engine.db, runId);
  if (found === undefined) throw new LatticeError('run_not_found', `There is no run ${runId}.`);
  const tasks = [...rerunTasks(workflow, found.times, asked)];
  // Also with the task alone: what others keep of their rounds was made from its old result.
  const anew = roundsAnew(workflow, found.times, [asked.task]).map((key) => ({ runId, key }));
  const payload = { reason: 'rerun', task: asked.task };
  await engine.db.transaction(async (session) => {
    // The epoch tells that nobody opened the run since its tasks were read.
    const epoch = await reopenRun(session, { runId, epoch: state.epoch, tasks });
    if (epoch === undefined) throw notEnded(runId, 'running');
    await forgetRounds(session, anew);
    await insertOutbox(session, { kind: 'retry', runId, payload });
  });
  nudge(engine);
}

function notEnded(runId: string, status: string): LatticeError {
  return new LatticeError(
    'illegal_transition',
    `Run ${runId} is ${status}: a task of it can be run again when it has ended.`,
  );
}
