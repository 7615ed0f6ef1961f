import { activeChildren, askCancel, hasActiveChildren, type ActiveChild } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { ORDERS, nudge } from '../submit/nudge';
import { stopMany } from './stop-many';

/** Runs whose children are asked for together: each has a thousand at a time for each of its maps, at most. */
const PARENTS = 50;
/** All below a run are gone through no more often than so by a process; between that it is only asked how many are left. */
const AGAIN_MS = 1_000;
/** So many runs are remembered for that. */
const MOST = 1_000;

/** When all below a run was gone through last, by the clock of this process. */
const walks = new WeakMap<Runtime, Map<string, number>>();

/**
 * Cancels all that a run, or one of its tasks, has started and that has not ended, down to the last level: level by level, runs of one document
 * together. What is not in the hands of a worker ends here and now. Whoever calls has to call again should the process
 * die, as long as this does not return 0: how many of its own children had not ended.
 */
export async function stopChildren(
  runtime: Runtime,
  of: { runId: string; taskKey?: string | undefined },
  reason: string,
): Promise<number> {
  const own = await activeChildren(runtime.db, { runIds: [of.runId], taskKey: of.taskKey });
  await stopWithBelow(runtime, own, reason);
  return own.length;
}

/** Cancels runs that tasks have started, and all below them. */
export async function stopWithBelow(runtime: Runtime, runs: readonly ActiveChild[], reason: string): Promise<void> {
  for (let level = runs; level.length > 0;) {
    const left = await stopMany(runtime, level, reason);
    await askCancel(runtime.db, left, reason);
    if (left.length > 0) nudge(runtime, ORDERS);
    level = await childrenOf(runtime, level);
  }
}

/**
 * {@link stopChildren} for one who asks often whether it is done: each end of a task of a run that is being stopped does. Returns whether a
 * child of the run has not ended.
 */
export async function keepStopping(runtime: Runtime, runId: string, reason: string): Promise<boolean> {
  const known = walks.get(runtime) ?? new Map<string, number>();
  walks.set(runtime, known);
  const now = performance.now();
  if (now - (known.get(runId) ?? -Infinity) < AGAIN_MS) return hasActiveChildren(runtime.db, runId);
  known.delete(runId);
  known.set(runId, now);
  for (const oldest of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(oldest);
  }
  try {
    return (await stopChildren(runtime, { runId }, reason)) > 0;
  } catch (error) {
    known.delete(runId);
    throw error;
  }
}

/** What runs have started. Nothing is started by those whose documents have no task for that. */
async function childrenOf(runtime: Runtime, runs: readonly ActiveChild[]): Promise<ActiveChild[]> {
  const parents: string[] = [];
  for (const { runId, documentSha } of runs) if (await hasStarters(runtime, documentSha)) parents.push(runId);
  const children: ActiveChild[] = [];
  for (let at = 0; at < parents.length; at += PARENTS) {
    for (const child of await activeChildren(runtime.db, { runIds: parents.slice(at, at + PARENTS) }))
      children.push(child);
  }
  return children;
}

async function hasStarters(runtime: Runtime, documentSha: string): Promise<boolean> {
  const { workflow } = await runtime.plans.get(documentSha);
  for (const { control } of workflow.tasks.values()) {
    if (control?.kind === 'map' || control?.kind === 'loop' || control?.kind === 'workflow') return true;
  }
  return false;
}
