import { taskError } from '@lattice/contracts';
import {
  activeRuns,
  aliveWorkers,
  readHead,
  readProgress,
  record,
  rootIdOf,
  settle,
  type LiveTask,
  type RunHead,
  type RunRef,
} from '@lattice/queue';
import { STEP_OWNER } from '../control-tasks/step-owner';
import type { Runtime } from '../runtime';
import { finaliseIfDone } from './finalise';
import { keepStopping } from './stop-children';

/** Keys of tasks that go into one script. */
const CHUNK = 500;

/**
 * Cancels what has not begun of a run that is being stopped (cancelled, or failed), and ends the run when nothing is live any
 * more. Attempts of workers that are gone are given up. Returns the tasks that workers still have.
 */
export async function settleRun(runtime: Runtime, runId: string): Promise<LiveTask[]> {
  const head = await readHead(runtime.queue, runId);
  if (head === undefined) return [];
  const run = { runId, epoch: head.epoch };
  const { workflow } = await runtime.plans.get(head.sha);
  const keys = [...workflow.tasks.keys()];
  const live: LiveTask[] = [];
  for (let at = 0; at < keys.length; at += CHUNK) {
    const settled = await settle(
      runtime.queue,
      run,
      head.state === 'failing' ? 'run_failed' : 'cancelled',
      keys.slice(at, at + CHUNK),
    );
    if (settled === undefined) return [];
    live.push(...settled.live);
  }
  const lost = await findLost(runtime, run, head, live);
  await giveUp(runtime, run, lost);
  await finaliseIfDone(runtime, runId);
  return live.filter(({ taskKey }) => !lost.includes(taskKey));
}

/**
 * Cancels the tasks of one job of a run that is being stopped. The caller holds the job: an attempt of it that is marked as
 * live belongs to somebody who lost it, and may be alive and well.
 */
export async function settleJob(runtime: Runtime, run: RunRef, taskKeys: readonly string[]): Promise<void> {
  const settled = await settle(runtime.queue, run, await reasonOf(runtime, run), taskKeys);
  if (settled === undefined) return;
  const own = settled.live.filter(({ workerId }) => workerId !== STEP_OWNER).map(({ taskKey }) => taskKey);
  const lost = [...own, ...(await idleSteps(runtime, run.runId, settled.live))];
  await giveUp(runtime, run, lost);
  if (settled.left <= lost.length) await finaliseIfDone(runtime, run.runId);
}

async function reasonOf(runtime: Runtime, run: RunRef): Promise<string> {
  const head = await readHead(runtime.queue, run.runId);
  return head?.state === 'failing' ? 'run_failed' : 'cancelled';
}

/** Tasks that nobody does any more: their workers have been silent for too long, or no run of theirs goes on. */
async function findLost(runtime: Runtime, run: RunRef, head: RunHead, live: readonly LiveTask[]): Promise<string[]> {
  if (live.length === 0) return [];
  const { queue, flows, pin } = runtime;
  const alive = await aliveWorkers(queue);
  // Nobody here takes jobs of another version, and so finds out who has lost them; whether anybody has one can be seen.
  const held = pin.holds(head.jobsOf) || (await activeRuns(queue, flows, head.jobsOf)).has(rootIdOf(run));
  const ofWorkers = live.filter(({ workerId }) => workerId !== STEP_OWNER && !(held && alive.has(workerId)));
  return [...ofWorkers.map(({ taskKey }) => taskKey), ...(await idleSteps(runtime, run.runId, live))];
}

/** Tasks of schedulers, once no run that they started goes on; until then those are told to stop. */
async function idleSteps(runtime: Runtime, runId: string, live: readonly LiveTask[]): Promise<string[]> {
  const steps = live.filter(({ workerId }) => workerId === STEP_OWNER);
  if (steps.length === 0) return [];
  const active = await keepStopping(runtime, runId, `run ${runId} is being stopped`);
  return active ? [] : steps.map(({ taskKey }) => taskKey);
}

/** Records the live attempts of these tasks as cancelled: nobody else would. */
async function giveUp(runtime: Runtime, run: RunRef, taskKeys: readonly string[]): Promise<void> {
  const progress = await readProgress(runtime.queue, run.runId, taskKeys);
  for (const [index, taskKey] of taskKeys.entries()) {
    const attempt = progress[index]?.attempt ?? 0;
    const reason = 'worker_lost';
    await record(runtime.queue, run, {
      taskKey,
      attempt,
      status: 'cancelled',
      output: '',
      error: JSON.stringify(taskError('cancelled', reason)),
      eventJson: JSON.stringify({ reason }),
      gates: [],
    });
  }
}
