import { randomUUID } from 'node:crypto';
import { eventually } from '../../../../test/support/eventually';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { insertRun } from '../runs/insert-run';
import { listQueuedRuns, reopenRun } from '../runs/run-state';
import { readSql } from '../statements';
import { awaitsItsTime, awaitsSending, claimOutbox, insertOutbox, nextDue, type OutboxRow } from './outbox';

let test_: TestDatabase;
beforeEach(async () => {
  test_ = await testDatabase();
});
afterEach(() => test_.drop());

const document = { name: 'w', tasks: { a: { uses: 'code' } } };
async function newRun(delayMs = 0, graceMs = 0): Promise<string> {
  const runId = randomUUID();
  await insertRun(test_.db, {
    runId,
    workflow: 'w',
    version: null,
    documentSha: 'sha',
    document,
    priority: 0,
    onFailure: 'cancel',
    tags: [],
    inputs: { n: 1 },
    delayMs,
    graceMs,
    tasks: [{ key: 'a', position: 0 }],
  });
  return runId;
}
const all = async (rows: OutboxRow[]) => ({ done: rows.map((row) => row.id) });

test('due rows come with their run and document, what controls runs first and then the oldest, and go when they are done', async () => {
  const [first, second] = [await newRun(), await newRun()];
  await insertOutbox(test_.db, { kind: 'cancel', runId: first, payload: { reason: 'asked' } });
  await insertOutbox(test_.db, { kind: 'cancel', runId: randomUUID() });
  let seen: OutboxRow[] = [];
  const claimed = await claimOutbox(test_.db, 10, async (rows) => {
    seen = rows;
    return all(rows);
  });
  expect(claimed).toBe(4);
  expect(seen).toMatchObject([
    { kind: 'cancel', runId: first, payload: { reason: 'asked' }, run: { status: 'pending' }, document: null },
    { kind: 'cancel', payload: null, run: null, document: null },
    {
      kind: 'run',
      runId: first,
      payload: null,
      run: { runId: first, inputs: { n: 1 }, epoch: 1, taskCount: 1 },
      document,
    },
    { kind: 'run', runId: second, document },
  ]);
  expect(await claimOutbox(test_.db, 10, all)).toBe(0);
  expect(await nextDue(test_.db)).toBeNull();
});

test('a delayed run is not due before its time', async () => {
  await newRun(60_000);
  expect(await claimOutbox(test_.db, 10, all)).toBe(0);
  const wait = await nextDue(test_.db);
  expect(wait).toBeGreaterThan(50_000);
  expect(wait).toBeLessThanOrEqual(60_000);
});

test('a run awaits its time when it was delayed, not in the moment that whoever stored it has to send it', async () => {
  const [delayed, sent, now] = [await newRun(60_000), await newRun(0, 1_000), await newRun()];
  for (const runId of [delayed, sent, now]) expect(await awaitsSending(test_.db, runId)).toBe(true);
  expect(await awaitsItsTime(test_.db, delayed)).toBe(true);
  expect(await awaitsItsTime(test_.db, sent)).toBe(false);
  expect(await awaitsItsTime(test_.db, now)).toBe(false);
  await test_.db.query("update outbox set not_before = now() - interval '1 second' where run_id = $1", [delayed]);
  expect(await awaitsItsTime(test_.db, delayed)).toBe(false);
});

test('rows that fail stay, later ones with a delay; when the claim fails all stay', async () => {
  await newRun();
  await newRun();
  await claimOutbox(test_.db, 10, async ([first]) => ({ done: [], later: [{ id: first?.id ?? '', delayMs: 60_000 }] }));
  expect(await claimOutbox(test_.db, 10, async () => ({ done: [] }))).toBe(1);
  await expect(claimOutbox(test_.db, 10, () => Promise.reject(new Error('redis is away')))).rejects.toThrow('away');
  expect(await claimOutbox(test_.db, 10, all)).toBe(1);
  expect(await nextDue(test_.db)).toBeGreaterThan(50_000);
});

test('two claims at once never have the same row', async () => {
  for (let left = 6; left > 0; left -= 1) await newRun();
  const other = await test_.open('scheduler-2');
  const seen: string[] = [];
  await claimOutbox(test_.db, 4, async (rows) => {
    seen.push(...rows.map((row) => row.id));
    await claimOutbox(other, 4, async (rest) => {
      seen.push(...rest.map((row) => row.id));
      return all(rest);
    });
    return all(rows);
  });
  expect([seen.length, new Set(seen).size]).toEqual([6, 6]);
});

test('runs that a row is yet to send are not among those in the queue: new ones, and ones that were opened again', async () => {
  const queued = async () => (await listQueuedRuns(test_.db, { limit: 10 })).map(({ runId }) => runId);
  const [fresh, again] = [await newRun(), await newRun()];
  await claimOutbox(test_.db, 10, async (rows) => all(rows.filter(({ runId }) => runId === again)));
  expect(await queued()).toEqual([again]);
  await test_.db.query("update runs set status = 'failed', started_at = now() where id = $1", [again]);
  await reopenRun(test_.db, { runId: again, epoch: 1 });
  await insertOutbox(test_.db, { kind: 'retry', runId: again });
  expect(await queued()).toEqual([]);
  // It was sent, and history has heard of that before the row went.
  await test_.db.query('update runs set started_at = now() where id = $1', [again]);
  expect(await queued()).toEqual([again]);
  await claimOutbox(test_.db, 10, all);
  expect((await queued()).sort()).toEqual([fresh, again].sort());
});

test.each(['claim-outbox', 'claim-orders'])('%s looks each run up by its key, however many there are', async (name) => {
  await test_.db.query(`
    with made as (
      insert into runs (id, workflow, document_sha, inputs, task_count)
      select gen_random_uuid(), 'w', 'sha', '{}', 1 from generate_series(1, 20000) returning id
    )
    insert into outbox (kind, run_id) select 'run', id from made`);
  await test_.db.query('analyze runs; analyze outbox');
  const plan = await test_.db.transaction(async (session) => {
    await session.query('set local plan_cache_mode = force_generic_plan');
    await session.query(`prepare claim as ${readSql('sql', name)}`);
    const rows = await session.query('explain (costs off) execute claim (100)');
    await session.query('deallocate claim');
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  expect(plan).toContain('runs_pkey');
  expect(plan).not.toContain('Seq Scan');
});

test('an outbox that grows from a few rows to thousands within a moment is not read whole for each batch', async () => {
  const runId = await newRun();
  const add = `insert into outbox (kind, run_id) select 'cancel', $1 from generate_series(1, $2::int)`;
  await test_.db.query(add, [runId, 40]);
  await test_.db.query('vacuum analyze outbox');
  for (let batch = 0; batch < 12; batch++) await claimOutbox(test_.db, 1, all);
  const before = await readings(12);
  await test_.db.query(add, [runId, 20_000]);
  for (let batch = 0; batch < 5; batch++) await claimOutbox(test_.db, 10, all);
  expect((await readings(62)) - before).toBeLessThan(20_000);
});

/** Rows that were read in whole walks through the outbox, once the statistics have heard of so many deletions. */
async function readings(deletions: number): Promise<number> {
  const seen = await eventually('the statistics tell of all deletions', async () => {
    const [row] = await test_.db.query(
      `select seq_tup_read::int as read, n_tup_del::int as deleted from pg_stat_user_tables where relname = 'outbox'`,
    );
    return row !== undefined && Number(row['deleted']) >= deletions ? row : undefined;
  });
  return Number(seen['read']);
}
