import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServices } from '@lattice/embedded';
import { Redis } from 'ioredis';
import { emptyDatabase } from '../../support/postgres';

/** Redis and Postgres of one spec file. */
export interface TestServices {
  /** What tells the apps of them. */
  readonly env: { readonly REDIS_URL: string; readonly DATABASE_URL: string; readonly LATTICE_PREFIX: string };
  /** Leaves nothing behind. */
  stop(): Promise<void>;
}

/** Those of REDIS_URL and DATABASE_URL, with a database and a key prefix of its own; embedded ones when these are not set. */
export async function testServices(): Promise<TestServices> {
  const LATTICE_PREFIX = `{e2e-${randomUUID()}}`;
  const redisUrl = process.env['REDIS_URL'];
  if (!redisUrl || !process.env['DATABASE_URL']) {
    const home = mkdtempSync(join(tmpdir(), 'lattice-e2e-services-'));
    const services = await startServices({ home, fsync: false, throwAway: true });
    const env = { REDIS_URL: services.redisUrl, DATABASE_URL: services.databaseUrl, LATTICE_PREFIX };
    return { env, stop: () => services.stop() };
  }
  const database = await emptyDatabase();
  return {
    env: { REDIS_URL: redisUrl, DATABASE_URL: database.url, LATTICE_PREFIX },
    stop: async () => {
      await database.drop();
      await removeKeys(redisUrl, LATTICE_PREFIX);
    },
  };
}

async function removeKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(keys.map(String));
    }
  } finally {
    redis.disconnect();
  }
}
