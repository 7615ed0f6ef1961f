import { orphanedRuns, type StoredRun } from '@lattice/persistence';
import { stopWithBelow } from '../run/stop-children';
import type { Runtime } from '../runtime';

/**
 * Cancels those of some active runs whose parents have ended: a step may die between the storing of runs and its look at what became of
 * its own run meanwhile.
 */
export async function stopOrphans(runtime: Runtime, runs: readonly StoredRun[]): Promise<void> {
  const children = runs.filter(({ parent }) => parent !== null).map(({ runId }) => runId);
  if (children.length === 0) return;
  const orphans = await orphanedRuns(runtime.db, children);
  if (orphans.length === 0) return;
  runtime.log.warn(
    { runs: orphans.length, runId: orphans[0]?.runId },
    'runs go on whose parents have ended; they are cancelled',
  );
  await stopWithBelow(runtime, orphans, 'the run that started it has ended');
}
