import { CONTROL_CLASS, type PlanJob } from '@lattice/flow';
import { hasActiveChildren } from '@lattice/persistence';
import { readHead, readProgress, tellReady } from '@lattice/queue';
import { startLoop, type Loop } from '../loop';
import type { Compiled } from '../run/plans';
import { settleRun } from '../run/stop';
import type { Runtime } from '../runtime';

/** A step that is just being taken is woken after it: it may have looked too early. */
const AGAIN_MS = 20;
/** So often; then its own look after a while is the net. */
const TRIES = 100;
const IDLE_MS = 1_000;

/**
 * Wakes a task that waits: its job goes back into the queue. A run that is being stopped is settled instead: what the task
 * waited for may have been the last thing. False when its step is being taken right now.
 */
export async function wakeStep(runtime: Runtime, runId: string, taskKey: string): Promise<boolean> {
  const head = await readHead(runtime.queue, runId);
  if (head === undefined) return true;
  if (head.state === 'cancelling' || head.state === 'failing') {
    // While others go on there is nothing to settle; of thousands each end would go through all.
    if (!(await hasActiveChildren(runtime.db, runId))) await settleRun(runtime, runId);
    return true;
  }
  const compiled = await runtime.plans.get(head.sha);
  const job = jobWith(compiled, taskKey);
  if (job === undefined) return true;
  const at = { taskKey: job.id, className: CONTROL_CLASS.name };
  if (await runtime.flows.unpark({ runId, epoch: head.epoch }, at)) {
    await tellReady(runtime.queue, [CONTROL_CLASS.name]);
    return true;
  }
  const [progress] = await readProgress(runtime.queue, runId, [taskKey]);
  return progress === undefined || progress.ended || progress.live === '';
}

function jobWith({ jobs }: Compiled, taskKey: string): PlanJob | undefined {
  const own = jobs.get(taskKey)?.job;
  if (own !== undefined) return own;
  for (const { job } of jobs.values()) if (job.tasks.includes(taskKey)) return job;
  return undefined;
}

/** Wakes tasks that wait for runs which they started; many ends at once wake a task once. */
export class StepWaker {
  private readonly pending = new Map<string, { runId: string; taskKey: string; tries: number }>();
  private readonly loop: Loop;

  constructor(private readonly runtime: Runtime) {
    this.loop = startLoop({ name: 'waking of tasks', log: runtime.log, turn: () => this.turn() });
  }

  /** `parent` is RUN|TASK, as the run hash of a child has it. */
  wake(parent: string): void {
    const [runId, taskKey] = parent.split('|');
    if (runId === undefined || taskKey === undefined) return;
    this.pending.set(parent, { runId, taskKey, tries: 0 });
    this.loop.wake();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async turn(): Promise<number> {
    for (const [parent, entry] of [...this.pending]) {
      const woken = await wakeStep(this.runtime, entry.runId, entry.taskKey);
      // An end that came meanwhile has set it anew.
      if (this.pending.get(parent) !== entry) continue;
      entry.tries += 1;
      if (woken || entry.tries >= TRIES) this.pending.delete(parent);
    }
    return this.pending.size > 0 ? AGAIN_MS : IDLE_MS;
  }
}
