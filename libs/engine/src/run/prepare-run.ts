import { setImmediate } from 'node:timers/promises';
import type { WorkflowDocument } from '@lattice/contracts';
import type { StoredRun } from '@lattice/persistence';
import { announceClasses, readHead, type CreateGuard, type RunSender } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { classesOf, firstSegments } from './release';
import { flowRunOf, newRunHash, sentBefore } from './send-run';

/** A run that can be sent in one trip. One of the two must be called, once. */
export interface ReadyRun {
  /** Sends it; false when the guard forbids it, as sendRun() does. */
  send(guard: CreateGuard): Promise<boolean>;
  drop(): void;
}

/**
 * Makes the jobs of a run that nobody has sent yet, while it is being stored. Undefined for runs that take more than one trip: something is to be
 * decided upon, or a timer started, before their first tasks are queued.
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
      const reply = await prepared.send(newRunHash(stored, compiled, guard), classesOf(compiled, segments));
      await runtime.race?.('after-create', { runId: run.runId });
      switch (reply) {
        case 'created':
          return true;
        case 'exists':
          return (await sentBefore(runtime, run)) ?? true;
        case 'late':
        case 'uninitialised':
          // Jobs of a run that is not in Redis would lie there until somebody takes them.
          if ((await readHead(runtime.queue, run.runId)) === undefined)
            await runtime.flows.removeRun(run, compiled.plan);
          return false;
      }
    },
    drop: () => prepared.drop(),
  };
}
