import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationExecutor } from 'typeorm';
import { z } from 'zod';
import type { Database } from '../database';

/** Advisory lock of whoever migrates; any constant will do, it must only differ from the historian's. */
const MIGRATION_LOCK = 4_127_001;
const POLL_MS = 100;
const LOCK_TIMEOUT_MS = 60_000;

const lockSchema = z.tuple([z.object({ locked: z.boolean() })]);

/**
 * Runs the pending migrations, in one transaction and under a lock, so that several processes may start at once.
 * Returns the names of those it ran. Throws when another process holds the lock for longer than `timeoutMs` (default 60,000).
 */
export async function migrate(db: Database, options: { timeoutMs?: number | undefined } = {}): Promise<string[]> {
  const deadline = Date.now() + (options.timeoutMs ?? LOCK_TIMEOUT_MS);
  const runner = db.dataSource.createQueryRunner();
  try {
    // A migration may take longer than any statement of the platform may.
    await runner.query('set statement_timeout = 0');
    while (!(await tryLock())) {
      if (Date.now() > deadline) {
        throw new Error('Another process has been migrating the database for too long. See its log, then start again.');
      }
      await sleep(POLL_MS);
    }
    try {
      const executor = new MigrationExecutor(db.dataSource, runner);
      executor.transaction = 'all';
      return (await executor.executePendingMigrations()).map((migration) => migration.name);
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.query('reset statement_timeout').catch(() => undefined);
    await runner.release();
  }

  async function tryLock(): Promise<boolean> {
    const rows: unknown = await runner.query('select pg_try_advisory_lock($1) as locked', [MIGRATION_LOCK]);
    return lockSchema.parse(rows)[0].locked;
  }
}

/** Names of the migrations that this build needs and the database lacks, oldest first. Changes nothing. */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const runner = db.dataSource.createQueryRunner();
  try {
    const pending = await new MigrationExecutor(db.dataSource, runner).getPendingMigrations();
    return pending.map((migration) => migration.name);
  } finally {
    await runner.release();
  }
}

/** Waits until the database has every migration of this build. Throws after `timeoutMs`, or when `signal` aborts. */
export async function waitForMigrations(
  db: Database,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const pending = await pendingMigrations(db);
    if (pending.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`The database lacks ${pending.join(', ')}. Start the API: it migrates the database.`);
    }
    await sleep(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
