import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, removeHome, startPlatform } from '@lattice/embedded';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { Client } from './client';
import { Raw } from './raw';
import { Meter } from './usage';

/** Jobs at once, of our worker and of the raw one. */
export const CONCURRENCY = 100;

/** A platform as users run it, each part a process, on services of its own; and what to measure it with. */
export interface Bench {
  readonly client: Client;
  readonly raw: Raw;
  readonly meter: Meter;
  readonly redis: Redis;
  readonly pool: Pool;
  /** How many runs have not ended, as Postgres has it. */
  readonly active: () => Promise<number>;
  /** Resolves when no run is active. */
  readonly drained: () => Promise<void>;
  /** Resolves when Redis is rid of all runs: what a case has left must not be cleared in the time of the next. */
  readonly cleared: () => Promise<void>;
  /** Resolves when all runs are in Redis. */
  readonly queued: () => Promise<void>;
  /** Sends the worker a signal. */
  readonly worker: (signal: NodeJS.Signals) => void;
  close(): Promise<void>;
}

const LOOK_MS = 20;
/** Milliseconds between two walks through the keys of Redis. */
const SCAN_MS = 250;
const LIMIT_MS = 900_000;

/** Starts Redis, Postgres, API, scheduler and one worker. */
export async function openBench(): Promise<Bench> {
  const home = mkdtempSync(join(tmpdir(), 'lattice-bench-'));
  const { REDIS_URL: _redis, DATABASE_URL: _database, LATTICE_HOME: _home, ...inherited } = process.env;
  const platform = await startPlatform({
    home,
    exit: true,
    env: {
      ...inherited,
      LATTICE_HANDLERS: join(__dirname, 'handlers.js'),
      LATTICE_CONCURRENCY: String(CONCURRENCY),
      LATTICE_LOG_LEVEL: inherited['LATTICE_LOG_LEVEL'] ?? 'warn',
    },
  });
  const pool = new Pool({ connectionString: platform.databaseUrl, max: 2 });
  const redis = new Redis(platform.redisUrl, { maxRetriesPerRequest: null });
  const client = new Client(platform.url, readFileSync(platform.adminKeyFile, 'utf8').trim());
  const raw = new Raw(platform.redisUrl, CONCURRENCY);
  await raw.ready();
  const meter = new Meter({ home, redis, pool });
  const count = async (what: string): Promise<number> => {
    const { rows } = await pool.query<{ count: string }>(`select count(*) from ${what}`);
    return Number(rows[0]?.count ?? 0);
  };
  const active = (): Promise<number> => count(`runs where status in ('pending', 'running', 'waiting', 'paused')`);
  return {
    client,
    raw,
    redis,
    pool,
    meter,
    active,
    drained: () => until('all runs have ended', async () => (await active()) === 0),
    cleared: () => until('Redis is rid of all runs', async () => (await runKeys(redis)) === 0, SCAN_MS),
    queued: () => until('all runs are in Redis', async () => (await count('outbox')) === 0),
    worker: (signal) => void process.kill(meter.pidOf('worker'), signal),
    close: async () => {
      client.close();
      await raw.close();
      redis.disconnect();
      await pool.end();
      await platform.stop();
      removeHome(homePaths(home));
    },
  };
}

async function runKeys(redis: Redis): Promise<number> {
  let count = 0;
  for await (const keys of redis.scanStream({ match: '*:lattice:run:*', count: 5_000 }))
    count += (keys as string[]).length;
  return count;
}

async function until(what: string, holds: () => Promise<boolean>, pauseMs = LOOK_MS): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`not within ${LIMIT_MS / 1_000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
