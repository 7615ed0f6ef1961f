import { setImmediate } from 'node:timers/promises';
import type { WorkflowDocument } from '@lattice/contracts';
import type { StoredRun } from '@lattice/persistence';
import { announceClasses, createRun, type CreateGuard, type RunSender } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { classesOf } from './add-segments';
import { firstSegments } from './release';
import { flowRunOf, newRunHash, sentBefore } from './send-run';

/** A run whose jobs are made. One of the two must be called, once. */
export interface ReadyRun {
  /** Sends it; false when the guard forbids it, as sendRun() does. */
  send(guard: CreateGuard): Promise<boolean>;
  drop(): void;
}

/**
 * Makes the jobs of a run that nobody has sent yet, while it is being stored. Undefined for runs of which something is to be decided
 * upon, or a timer to be started, before their first tasks are queued.
 */
export async function prepareRun(
  runtime: Runtime,
  sender: RunSender,
  stored: StoredRun,
  document: WorkflowDocument,
): Promise<ReadyRun | undefined> {
  // The statement that stores the run leaves first.
  await setImmediate();
  const compiled = runtime.plans.of(stored.documentSha, document);
  if (compiled.first === undefined || document.timeout !== undefined) return undefined;
  const run = flowRunOf(stored);
  const { segments, gates } = await firstSegments(runtime, run, compiled);
  if (gates.length > 0 || segments.length === 0) return undefined;
  await announceClasses(runtime.queue, Object.values(compiled.plan.classes));
  const prepared = sender.prepare(run, compiled.plan, segments);
  if (prepared === undefined) return undefined;
  return {
    send: async (guard) => {
      const reply = await createRun(runtime.queue, run, newRunHash(stored, compiled, guard));
      await runtime.race?.('after-create', { runId: run.runId });
      const sent = reply === 'exists' ? await sentBefore(runtime, run) : reply === 'created' ? undefined : false;
      // Jobs without their run would be dropped by whoever takes them, and not be added again: they go only once it is there.
      if (sent === undefined) await prepared.send(classesOf(compiled, segments));
      else prepared.drop();
      return sent ?? true;
    },
    drop: () => prepared.drop(),
  };
}
