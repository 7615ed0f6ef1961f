import { openArtifactStore } from '@lattice/artifacts';
import type { Logger, Settings } from '@lattice/config';
import { migrate, openDatabase } from '@lattice/persistence';
import { openQueue } from '@lattice/queue';
import { BoundedCache } from './cache/bounded-cache';
import type { Engine } from './context';

/** Parsed documents that a process keeps, and the characters of JSON that they may have together. */
const DOCUMENTS = 500;
const CHARACTERS = 32 * 1_048_576;
/** A service that is away makes an error with every try to reach it; the log has one of them in so many milliseconds. */
const SAY_AGAIN_MS = 10_000;

function seldom(say: (error: Error) => void): (error: Error) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (Date.now() - saidAt < SAY_AGAIN_MS) return;
    saidAt = Date.now();
    say(error);
  };
}

/** Connects to both stores. `name` is shown in their lists of clients. Rejects, with nothing left open, when one is not there. */
export async function openEngine(settings: Settings, name: string, log: Logger): Promise<Engine> {
  const queue = await openQueue({
    redisUrl: settings.redisUrl,
    prefix: settings.prefix,
    name,
    onError: seldom((error) => log.warn({ err: error }, 'redis')),
  });
  try {
    const db = await openDatabase({
      url: settings.databaseUrl,
      applicationName: name,
      documents: new BoundedCache({ entries: DOCUMENTS, weight: CHARACTERS }),
      onError: seldom((error) => log.warn({ err: error }, 'postgres')),
    });
    return { db, queue, artifacts: openArtifactStore(settings.artifacts.store), settings, log };
  } catch (error) {
    await queue.close();
    throw error;
  }
}

/** Brings the schema of the database up to this build; several processes may do so at once. */
export async function migrateDatabase(engine: Engine): Promise<void> {
  const done = await migrate(engine.db);
  if (done.length > 0) engine.log.info({ migrations: done }, 'the database was migrated');
}

/** Closes the queue first and the database last: what is still being recorded needs the database. */
export async function closeEngine(engine: Engine): Promise<void> {
  try {
    await engine.queue.close();
  } finally {
    engine.artifacts.close();
    await engine.db.close();
  }
}
