import { waitForMigrations } from '@lattice/persistence';
import { Flows } from '@lattice/queue';
import type { Engine } from './context';
import { PlanCache } from './run/plans';
import type { Runtime } from './runtime';

/** The API migrates; who comes first waits for so long. */
const MIGRATION_MS = 60_000;

/** What a scheduler or worker needs beside the connections. Waits until the database is migrated. */
export async function openRuntime(
  engine: Engine,
  options: Pick<Runtime, 'race'> & { signal?: AbortSignal } = {},
): Promise<Runtime> {
  await waitForMigrations(engine.db, { timeoutMs: MIGRATION_MS, signal: options.signal });
  return { ...engine, flows: new Flows(engine.queue), plans: new PlanCache(engine.db), race: options.race };
}
