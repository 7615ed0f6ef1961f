import { takeUnsent, type ActiveChild } from '@lattice/persistence';
import { createRun, stopAll, stoppedAtOnce, stopRun } from '@lattice/queue';
import type { Runtime } from '../runtime';
import { createdEvent } from './created-event';
import type { Compiled } from './plans';

/** Runs that were not sent yet, and are ended by one transaction. */
const UNSENT = 500;
/** Scripts that are on their way at the same time: others get their turn between them. */
const ABREAST = 4;

/** Cancels runs. Returns those that are to be cancelled each on its own. */
export async function stopMany(runtime: Runtime, runs: readonly ActiveChild[], reason: string): Promise<string[]> {
  const byDocument = new Map<string, ActiveChild[]>();
  for (const run of runs) {
    const known = byDocument.get(run.documentSha);
    if (known === undefined) byDocument.set(run.documentSha, [run]);
    else known.push(run);
  }
  const left: string[] = [];
  for (const [sha, ofDocument] of byDocument) {
    left.push(...(await stopOfDocument(runtime, await runtime.plans.get(sha), { runs: ofDocument, reason })));
  }
  return left;
}

interface Stop {
  readonly runs: readonly ActiveChild[];
  readonly reason: string;
}

async function stopOfDocument(runtime: Runtime, compiled: Compiled, { runs, reason }: Stop): Promise<string[]> {
  if (stoppedAtOnce(compiled.workflow.tasks.size) === 0) return stopLarge(runtime, { runs, reason });
  const { failing, gone } = await stopInChunks(runtime, compiled, { runs, reason });
  const unsent = gone.filter(({ status }) => status === 'pending');
  const ended = new Set<string>();
  for (let at = 0; at < unsent.length; at += UNSENT) {
    const chunk = unsent.slice(at, at + UNSENT);
    for (const runId of await endUnsent(runtime, compiled, { runs: chunk, reason })) ended.add(runId);
  }
  return [...failing, ...gone.filter(({ runId }) => !ended.has(runId))].map(({ runId }) => runId);
}

/** Runs of very many tasks: their workers hear of it now, their tasks are cancelled step by step. */
async function stopLarge({ queue }: Runtime, { runs, reason }: Stop): Promise<string[]> {
  for (let at = 0; at < runs.length; at += UNSENT) {
    await Promise.all(runs.slice(at, at + UNSENT).map(({ runId }) => stopRun(queue, runId, { reason })));
  }
  return runs.map(({ runId }) => runId);
}

async function stopInChunks(
  { queue }: Runtime,
  { workflow }: Compiled,
  { runs, reason }: Stop,
): Promise<{ failing: ActiveChild[]; gone: ActiveChild[] }> {
  const taskKeys = [...workflow.tasks.keys()];
  const waits = new Set(taskKeys.filter((key) => workflow.tasks.get(key)?.control?.kind === 'wait'));
  const size = stoppedAtOnce(taskKeys.length);
  const failing: ActiveChild[] = [];
  const gone: ActiveChild[] = [];
  const stopChunk = async (at: number): Promise<void> => {
    const chunk = runs.slice(at, at + size);
    if (chunk.length === 0) return;
    const replies = await stopAll(queue, chunk, { reason, taskKeys, waits });
    for (const [index, run] of chunk.entries()) {
      if (replies[index] === 'failing') failing.push(run);
      if (replies[index] === 'gone') gone.push(run);
    }
  };
  for (let at = 0; at < runs.length; at += size * ABREAST) {
    await Promise.all(Array.from({ length: ABREAST }, (_, n) => stopChunk(at + n * size)));
  }
  return { failing, gone };
}

/**
 * Ends runs that wait to be sent: their hashes are made for their history alone, and nothing of them is ever queued. Those that somebody
 * sends at this moment are left out.
 */
async function endUnsent(runtime: Runtime, compiled: Compiled, { runs, reason }: Stop): Promise<ReadonlySet<string>> {
  const { workflow, plan } = compiled;
  return takeUnsent(
    runtime.db,
    runs.map(({ runId }) => runId),
    async (taken) => {
      const fresh = runs.filter(({ runId }) => taken.has(runId));
      await Promise.all(
        fresh.map((run) =>
          createRun(runtime.queue, run, {
            sha: run.documentSha,
            version: plan.version,
            inputsJson: '{}',
            left: workflow.tasks.size,
            onFailure: plan.onFailure,
            priority: run.priority,
            event: createdEvent({ workflow: run.workflow, version: run.version, schedule: null, tick: null }),
            fields: { pa: `${run.parent.runId}|${run.parent.taskKey}` },
            // It never starts, and says so.
            guard: 'stop',
          }),
        ),
      );
      await stopInChunks(runtime, compiled, { runs: fresh, reason });
    },
  );
}
