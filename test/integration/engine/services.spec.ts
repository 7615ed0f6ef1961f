import { readLedger } from '../../support/handlers';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { ownServices, type OwnServices } from '../../support/services';

const SLOW_MS = 180_000;

let services: OwnServices;
let platform: TestPlatform;

beforeAll(async () => {
  services = await ownServices();
  process.env['DATABASE_URL'] = services.databaseUrl;
}, SLOW_MS);
/** Each test of a group has a platform of its own, with this lock. */
const withLock = (lock: string): void =>
  beforeEach(async () => {
    platform = await TestPlatform.running({ environment: { REDIS_URL: services.redisUrl, LATTICE_LOCK: lock } });
  });
afterEach(async () => {
  await platform.settled().finally(() => platform.close());
}, SLOW_MS);
afterAll(() => services.stop(), SLOW_MS);

/** A chain of steps that each take a while, beside a fan of them, so that something is always under way. */
function steps(count: number, ms: number, value: unknown = 1) {
  const note = (task: string, needs: string[]) => ({
    uses: 'handler/note',
    needs,
    with: { run: '${{ run.id }}', task, value, ms },
  });
  const chain = Array.from(
    { length: count },
    (_, index) => [`t${index}`, note(`t${index}`, index === 0 ? [] : [`t${index - 1}`])] as const,
  );
  const fan = Array.from({ length: count }, (_, index) => [`f${index}`, note(`f${index}`, [`t${index}`])] as const);
  return { name: 'steps', tasks: Object.fromEntries([...chain, ...fan]) };
}

async function halfway(runId: string, key: string): Promise<void> {
  await eventually(`${key} has ended`, () =>
    readLedger(platform.ledger).some(({ run, task }) => run === runId && task === key) ? true : undefined,
  );
}

/** Everything ended well, and no attempt was executed twice, none after the one that history has. Returns the number of repeats. */
async function check(runId: string): Promise<number> {
  const run = await platform.wait(runId, 60_000);
  const events = await platform.events(runId);
  expect(faultsOfHistory(run, events)).toEqual([]);
  expect(run.status).toBe('completed');
  const executed = readLedger(platform.ledger).filter((entry) => entry.run === runId);
  expect(new Set(executed.map(({ task, attempt }) => `${task}#${attempt}`)).size).toBe(executed.length);
  for (const { key, attempts } of run.tasks)
    expect([key, executed.filter(({ task }) => task === key).at(-1)?.attempt]).toEqual([key, attempts]);
  return run.tasks.reduce((sum, { attempts }) => sum + attempts - 1, 0);
}

describe('an outage that is shorter than a lock', () => {
  // However long a busy machine takes to start them again.
  withLock('30s');

  test(
    'Redis is killed in the middle of runs and comes back on its file: nothing runs twice',
    async () => {
      const ids = await Promise.all([1, 2, 3].map(() => platform.submit(steps(8, 60))));
      await halfway(ids[0] ?? '', 't3');
      await services.restartRedis(500);
      for (const id of ids) expect(await check(id)).toBe(0);
    },
    SLOW_MS,
  );

  test(
    'Postgres ends all connections and recovers in the middle of runs: nothing runs twice, large outputs are kept',
    async () => {
      const ids = await Promise.all([1, 2, 3].map(() => platform.submit(steps(6, 60, 'x'.repeat(100_000)))));
      await halfway(ids[0] ?? '', 't2');
      const [row] = await platform.engine.db.query('select pg_backend_pid() as pid');
      process.kill(Number(row?.['pid']), 'SIGKILL');
      await eventually('Postgres answers', async () => ((await platform.read(ids[0] ?? '')) ? true : undefined));
      for (const id of ids) expect(await check(id)).toBe(0);
    },
    SLOW_MS,
  );
});

describe('what lasts longer than a lock', () => {
  withLock('5s');

  test(
    'Redis is away for longer than a lock: what ran is done again, with its reason, and all ends',
    async () => {
      const ids = await Promise.all([1, 2, 3].map(() => platform.submit(steps(6, 100))));
      await halfway(ids[0] ?? '', 't2');
      await services.restartRedis(7_000);
      for (const id of ids) await check(id);
      // Who takes a job after the outage keeps it.
      expect(await check(await platform.submit(steps(3, 600)))).toBe(0);
    },
    SLOW_MS,
  );

  test(
    'Redis is emptied in the middle of runs: they are made again, and what Postgres has as completed never runs again',
    async () => {
      const id = await platform.submit(steps(6, 150));
      await eventually('t2 is in Postgres', async () =>
        (await platform.read(id)).tasks.find(({ key }) => key === 't2')?.status === 'completed' ? true : undefined,
      );
      const before = (await platform.read(id)).tasks
        .filter(({ status }) => status === 'completed')
        .map(({ key }) => key);
      await services.flushRedis();
      const run = await platform.wait(id, 60_000);
      expect(run.status).toBe('completed');
      const executed = readLedger(platform.ledger).map(({ task }) => task);
      expect(before.filter((key) => executed.filter((task) => task === key).length > 1)).toEqual([]);
      expect((await platform.events(id)).map(({ type }) => type)).toContain('run.recovered');
    },
    SLOW_MS,
  );
});
