import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyDatabase, testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { MIGRATIONS } from '../migrations';
import { dumpSchema } from './dump-schema';
import { migrate, pendingMigrations, waitForMigrations } from './migrate';

const NAMES = MIGRATIONS.map((Migration) => new Migration().name);

let empty: TestDatabase;
beforeAll(async () => {
  empty = await emptyDatabase();
});
afterAll(() => empty.drop());

test('several processes migrate at once, others wait for it; each migration runs once', async () => {
  const others = await Promise.all([empty.open('api-2'), empty.open('api-3'), empty.open('worker')]);
  expect(await pendingMigrations(empty.db)).toEqual(NAMES);
  await expect(waitForMigrations(empty.db, { timeoutMs: 0 })).rejects.toThrow(`lacks ${NAMES.join(', ')}`);
  const waiting = waitForMigrations(others[2], { timeoutMs: 20_000 });
  const ran = await Promise.all([migrate(empty.db), migrate(others[0]), migrate(others[1])]);
  expect(ran.flat()).toEqual(NAMES);
  await waiting;
  expect(await pendingMigrations(empty.db)).toEqual([]);
  expect(await migrate(empty.db)).toEqual([]);
});

test('waiting for migrations ends with the signal', async () => {
  const bare = await emptyDatabase();
  try {
    const stop = new AbortController();
    const waiting = waitForMigrations(bare.db, { timeoutMs: 20_000, signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow();
  } finally {
    await bare.drop();
  }
});

test('the entities say what the migrations make', async () => {
  const migrated = await testDatabase();
  try {
    const { upQueries } = await migrated.db.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map((query) => query.query)).toEqual([]);
  } finally {
    await migrated.drop();
  }
});

test('schema.sql is what the migrations make', async () => {
  const migrated = await testDatabase();
  try {
    expect(await dumpSchema(migrated.db)).toBe(readFileSync(join(__dirname, '..', '..', 'schema.sql'), 'utf8'));
  } finally {
    await migrated.drop();
  }
});
