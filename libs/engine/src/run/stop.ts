import { taskError } from '@lattice/contracts';
import { aliveWorkers, readHead, readProgress, record, settle, type LiveTask, type RunRef } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { finaliseIfDone } from './finalise';

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
  const abandoned = await giveUpLost(runtime, run, live);
  await finaliseIfDone(runtime, runId);
  return live.filter(({ taskKey }) => !abandoned.has(taskKey));
}

/** Records the attempts of workers that are gone as cancelled: nobody else would. */
async function giveUpLost(runtime: Runtime, run: RunRef, live: readonly LiveTask[]): Promise<Set<string>> {
  if (live.length === 0) return new Set();
  const alive = await aliveWorkers(runtime.queue);
  const lost = live.filter(({ workerId }) => !alive.has(workerId)).map(({ taskKey }) => taskKey);
  const progress = await readProgress(runtime.queue, run.runId, lost);
  for (const [index, taskKey] of lost.entries()) {
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
  return new Set(lost);
}
