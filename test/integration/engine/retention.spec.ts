import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ environment: { LATTICE_RETENTION: '1s', LATTICE_RETENTION_FAILED: '1h' } });
});
afterAll(() => platform.close());

const TABLES = ['runs', 'tasks', 'events', 'outputs', 'outbox'];

async function rowsOf(runId: string): Promise<number> {
  const counts = await Promise.all(
    TABLES.map(async (table) => {
      const column = table === 'runs' ? 'id' : 'run_id';
      const [row] = await platform.engine.db.query(`select count(*)::int as n from ${table} where ${column} = $1`, [
        runId,
      ]);
      return Number(row?.['n']);
    }),
  );
  return counts.reduce((sum, n) => sum + n, 0);
}

async function documentNames(): Promise<unknown[]> {
  return (await platform.engine.db.query('select name from documents order by name')).map(({ name }) => name);
}

test('ended runs go with all that is kept of them when their time is over; others stay', async () => {
  const big = { uses: 'handler/poison', with: { kind: 'big' } };
  const done = await platform.submit({ name: 'done', tasks: { a: big, b: { uses: 'handler/noop', needs: 'a' } } });
  const failed = await platform.submit({ name: 'failed', tasks: { a: { uses: 'handler/fail' } } });
  const waiting = await platform.submit({ name: 'waiting', tasks: { a: { uses: 'handler/noop' } } }, { delay: '1h' });
  const running = await platform.submit({
    name: 'running',
    tasks: { a: { uses: 'handler/sleep', with: { ms: 60_000 } } },
  });
  await platform.wait(failed);
  await eventually('the completed run is gone', async () => ((await rowsOf(done)) === 0 ? true : undefined), 20_000);
  expect((await platform.read(failed)).tasks).toHaveLength(1);
  expect((await platform.events(failed)).at(-1)?.type).toBe('run.failed');
  expect((await platform.read(waiting)).status).toBe('pending');
  expect((await platform.read(running)).status).toBe('running');
  await expect(platform.read(done)).rejects.toMatchObject({ code: 'run_not_found' });
  await eventually('so is its document', async () => !(await documentNames()).includes('done'), 20_000);
  expect(await documentNames()).toEqual(['failed', 'running', 'waiting']);
});
