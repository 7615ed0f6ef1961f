import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl } from '@lattice/engine';
import { readSql } from '../../../libs/persistence/src/statements';
import { eventually } from '../../support/eventually';
import type { Part } from '../../support/part';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
let scheduler: Part;

beforeAll(async () => {
  platform = await TestPlatform.open();
  scheduler = await platform.scheduler();
  await platform.worker();
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

const becomes = (runId: string, wanted: string) =>
  eventually(`the run is ${wanted}`, async () => ((await platform.read(runId)).status === wanted ? true : undefined));

/** A run that failed, opened again, waits behind one that holds the only place. */
async function waitingRerun(name: string): Promise<{ waiting: string; holder: string; release: () => void }> {
  const file = join(platform.folder, name);
  const hold = { uses: 'handler/hold', with: { file } };
  const failed = await platform.run({
    name,
    concurrency: {},
    tasks: { a: { uses: 'handler/fail', with: { times: 1 } }, b: { ...hold, needs: 'a' } },
  });
  expect(failed.status).toBe('failed');
  const holder = await platform.submit({ name, concurrency: {}, tasks: { b: hold } });
  await becomes(holder, 'running');
  await requestControl(platform.engine, failed.runId, 'retry');
  await eventually('it waits', async () => ((await platform.read(failed.runId)).reason === null ? undefined : true));
  return { waiting: failed.runId, holder, release: () => writeFileSync(file, '') };
}

test('a rerun that waits for its limit is cancelled at once', async () => {
  const { waiting, holder, release } = await waitingRerun('cancelled');
  const from = Date.now();
  await requestCancel(platform.engine, waiting, 'enough');
  expect(await platform.wait(waiting)).toMatchObject({ status: 'cancelled', reason: 'enough' });
  expect(Date.now() - from).toBeLessThan(2_000);
  expect((await platform.read(holder)).status).toBe('running');
  release();
  expect((await platform.wait(holder)).status).toBe('completed');
  await requestControl(platform.engine, waiting, 'retry');
  expect((await platform.wait(waiting)).status).toBe('completed');
});

test('a rerun that waits for its limit can be paused, and goes on in its turn', async () => {
  const { waiting, holder, release } = await waitingRerun('paused');
  await requestControl(platform.engine, waiting, 'pause');
  await becomes(waiting, 'paused');
  release();
  expect((await platform.wait(holder)).status).toBe('completed');
  await requestControl(platform.engine, waiting, 'resume');
  expect((await platform.wait(waiting)).status).toBe('completed');
});

test('a cancel right behind a retry is not lost', async () => {
  const file = join(platform.folder, 'never');
  const run = await platform.run({
    name: 'quick',
    tasks: { a: { uses: 'handler/fail', with: { times: 1 } }, b: { uses: 'handler/hold', with: { file }, needs: 'a' } },
  });
  await requestControl(platform.engine, run.runId, 'retry');
  await requestCancel(platform.engine, run.runId, 'enough');
  expect((await platform.wait(run.runId)).status).toBe('cancelled');
});

test('runs that wait cost nothing while nothing changes', async () => {
  const file = join(platform.folder, 'many');
  const document = { name: 'many', concurrency: {}, tasks: { t: { uses: 'handler/hold', with: { file } } } };
  const ids = await Promise.all(Array.from({ length: 100 }, () => platform.submit(document)));
  await eventually('all but one wait', async () => {
    const [row] = await platform.engine.db.query(
      `select count(*)::int as waiting from admissions where waiting_on is not null`,
    );
    return row?.['waiting'] === 99 ? true : undefined;
  });
  // Deciding about admissions takes a transaction; nothing else in a scheduler without work does.
  const deciding = jest.spyOn(scheduler.runtime.db, 'transaction');
  let last = Date.now();
  let calls = 0;
  await eventually(
    'nothing is decided for five seconds',
    () => {
      if (deciding.mock.calls.length > calls) last = Date.now();
      calls = deciding.mock.calls.length;
      return Promise.resolve(Date.now() - last > 5_000 ? true : undefined);
    },
    60_000,
  );
  deciding.mockRestore();
  writeFileSync(file, '');
  for (const id of ids) expect((await platform.wait(id, 60_000)).status).toBe('completed');
});

describe('what is read to decide who is next', () => {
  const plan = async (sql: string, params: unknown[]): Promise<string> =>
    (await platform.engine.db.query(`explain (costs off) ${sql}`, params)).map((row) => row['QUERY PLAN']).join('\n');

  test('of a hundred tenants is read off an index of those that wait', async () => {
    const { db } = platform.engine;
    await db.query(`
      insert into runs (id, workflow, document_sha, inputs, task_count)
      select gen_random_uuid(), 'tenants', 'none', '{}', 1 from generate_series(1, 5000)`);
    await db.query(`
      insert into admissions (run_id, epoch, kind, priority, due_at, concurrency, concurrency_limit, policy, fair, fair_limit, waiting_on,
        admitted_at)
      select id, 1, 'run', 0, now(), 'concurrency:tenants:', 50, 'queue', 'fair:tenants:' || n % 100, 10,
        case when n > 50 then 'fair:tenants:' || n % 100 end, case when n <= 50 then now() end
      from (select id, row_number() over () as n from runs where workflow = 'tenants') each`);
    await db.query('analyze runs; analyze admissions');
    const tenants = Array.from({ length: 100 }, (_, n) => `fair:tenants:${n}`);
    const next = await plan(readSql('sql', 'peek-admissions'), [tenants, 20]);
    expect(next).toContain('admissions_waiting');
    expect(next).not.toContain('Seq Scan');
    const used = await plan(readSql('sql', 'limiter-states'), [
      ['concurrency:tenants:'],
      ['concurrency'],
      [50],
      [null],
    ]);
    expect(used).toContain('admissions_holding');
    await db.query(`delete from admissions where concurrency = 'concurrency:tenants:'`);
    await db.query(`delete from runs where workflow = 'tenants'`);
  });
});
