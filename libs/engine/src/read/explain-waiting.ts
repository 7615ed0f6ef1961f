import type { RunView } from '@lattice/contracts';
import type { Workflow } from '@lattice/flow';
import { listWorkers } from '@lattice/queue';
import type { Engine } from '../context';
import { waitingReason } from '../worker/waiting-reason';

/** The run with the reason at each task that is queued while no worker could take it. */
export async function explainWaiting(engine: Engine, run: RunView, { tasks }: Workflow): Promise<RunView> {
  if (!run.tasks.some(({ status }) => status === 'queued')) return run;
  const workers = await listWorkers(engine.queue);
  const reasons = new Map<string, string | undefined>();
  return {
    ...run,
    tasks: run.tasks.map((task) => {
      const entry = task.status === 'queued' ? tasks.get(task.key)?.class : undefined;
      if (entry === undefined) return task;
      if (!reasons.has(entry.name)) reasons.set(entry.name, waitingReason(entry, workers));
      return { ...task, reason: reasons.get(entry.name) ?? task.reason };
    }),
  };
}
