import type { RunView, WorkflowDocument } from '@lattice/contracts';
import { mustReadDocument, type Workflow } from '@lattice/flow';
import { getDocument, getRunState } from '@lattice/persistence';
import { listWorkers } from '@lattice/queue';
import type { Engine } from '../context';
import { waitingReason } from '../worker/waiting-reason';

/** Documents come from the cache of persistence: the same object is the same document. */
const workflows = new WeakMap<WorkflowDocument, Workflow>();

function workflowOf(document: WorkflowDocument): Workflow {
  const known = workflows.get(document);
  if (known !== undefined) return known;
  const workflow = mustReadDocument(document);
  workflows.set(document, workflow);
  return workflow;
}

/** The run with the reason at each task that is queued while no worker could take it. */
export async function explainWaiting(engine: Engine, run: RunView): Promise<RunView> {
  if (!run.tasks.some(({ status }) => status === 'queued')) return run;
  const state = await getRunState(engine.db, run.runId);
  const document = state === undefined ? undefined : await getDocument(engine.db, state.documentSha);
  if (document === undefined) return run;
  const { tasks } = workflowOf(document);
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
