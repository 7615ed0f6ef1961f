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
/** Keys of Redis of which one may be that of a run: of more, one certainly is, and a walk would cost. */
const SCANNED = 5_000;
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
  // Whether, not how many: to count 100,000 rows at each look would be a good part of what is measured.
  const none = async (what: string): Promise<boolean> => {
    const { rows } = await pool.query<{ found: boolean }>(`select exists (select from ${what}) as found`);
    return rows[0]?.found === false;
  };
  const active = `runs where status in ('pending', 'running', 'waiting', 'paused')`;
  return {
    client,
    raw,
    redis,
    pool,
    meter,
    drained: () => until('all runs have ended', () => none(active)),
    cleared: () => until('Redis is rid of all runs', () => holdsNoRun(redis), SCAN_MS),
    queued: () => until('all runs are in Redis', () => none('outbox')),
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

async function holdsNoRun(redis: Redis): Promise<boolean> {
  if ((await redis.dbsize()) > SCANNED) return false;
  for await (const keys of redis.scanStream({ match: '*:lattice:run:*', count: 5_000 }))
    if ((keys as string[]).length > 0) return false;
  return true;
}

async function until(what: string, holds: () => Promise<boolean>, pauseMs = LOOK_MS): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`not within ${LIMIT_MS / 1_000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
