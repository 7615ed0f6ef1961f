import { waitForMigrations } from '@lattice/persistence';
import { Flows } from '@lattice/queue';
import type { Engine } from './context';
import { Pin } from './run/pin';
import { COMPILER, PlanCache, type Compiler } from './run/plans';
import type { Runtime } from './runtime';

/** The API migrates; who comes first waits for so long. */
const MIGRATION_MS = 60_000;

/** What a scheduler or worker needs beside the connections. Waits until the database is migrated. `compiler`: in tests one of another version. */
export async function openRuntime(
  engine: Engine,
  options: Pick<Runtime, 'race'> & { signal?: AbortSignal; compiler?: Compiler | undefined } = {},
): Promise<Runtime> {
  await waitForMigrations(engine.db, { timeoutMs: MIGRATION_MS, signal: options.signal });
  const { compiler = COMPILER, race } = options;
  return {
    ...engine,
    flows: new Flows(engine.queue, compiler.version),
    plans: new PlanCache(engine.db, compiler),
    pin: new Pin(compiler.version, engine.log),
    race,
  };
}
