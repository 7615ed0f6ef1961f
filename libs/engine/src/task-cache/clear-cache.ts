import { clearCached } from '@lattice/persistence';
import type { Engine } from '../context';

/** Forgets results that are kept for tasks: of a workflow, of a task, or all. Returns how many. */
export async function clearCache(
  engine: Engine,
  filter: { workflow?: string | undefined; task?: string | undefined },
): Promise<{ cleared: number }> {
  return { cleared: await clearCached(engine.db, filter) };
}
