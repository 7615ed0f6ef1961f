import type { RacePoint } from '@lattice/engine';
import type { RunView } from '@lattice/contracts';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { processesOf } from '../../support/processes';

/** Most tests don't wait for the real lock of a job. */
const QUICK = { LATTICE_LOCK: '3s' };
const REAL = {};
/** The real lock of a job, 15 s, and two looks at stalled jobs, 5 s apart. */
const RECOVERY_MS = 21_000;
const SLOW_MS = 180_000;

/** Each test has its own platform: they run side by side, since most of them wait for locks to run out. */
async function onPlatform(
  environment: NodeJS.ProcessEnv,
  body: (platform: TestPlatform) => Promise<void>,
): Promise<void> {
  const platform = await TestPlatform.open(environment);
  try {
    await body(platform);
    await platform.settled();
  } finally {
    await platform.close();
  }
}

const note = (task: string, value: unknown, needs: string[] = []) => ({
  uses: 'handler/note',
  needs,
  with: { run: '${{ run.id }}', task, value },
});

/** A chain of two, then two arms, then a join. */
const diamond = {
  name: 'diamond',
  tasks: {
    a: note('a', 1),
    b: note('b', '${{ tasks.a.output + 1 }}'),
    c: note('c', '${{ tasks.b.output + 10 }}'),
    d: note('d', '${{ tasks.b.output + 100 }}'),
    e: note('e', '${{ tasks.c.output + tasks.d.output }}'),
  },
  outputs: { value: '${{ tasks.e.output }}' },
};

async function checkDiamond(platform: TestPlatform, run: RunView, again: readonly string[]): Promise<void> {
  const events = await platform.events(run.runId);
  expect(faultsOfHistory(run, events)).toEqual([]);
  expect(run).toMatchObject({ status: 'completed', outputs: { value: 114 } });
  expect(run.tasks.filter(({ attempts }) => attempts > 1).map(({ key }) => key)).toEqual(again);
  const reasons = events.filter(({ type }) => type === 'task.retrying');
  expect(reasons.map(({ taskKey, data }) => [taskKey, data['error']])).toEqual(
    again.map((key) => [key, expect.objectContaining({ code: 'worker_lost' }) as unknown]),
  );
  // What was recorded was executed once, by the attempt that history has.
  const noted = readLedger(platform.ledger).map(({ task, attempt }) => `${task}#${attempt}`);
  expect(noted.sort()).toEqual(run.tasks.map(({ key, attempts }) => `${key}#${attempts}`));
}

const workerPoints: [RacePoint, string, string[]][] = [
  ['after-begin', 'a', ['a']],
  ['after-begin', 'b', ['b']],
  // The next task of a chain is begun in the step that records the one before.
  ['after-record', 'a', ['b']],
  ['after-record', 'b', []],
  ['after-release', 'b', []],
  ['before-acknowledge', 'a', []],
  ['after-record', 'e', []],
];

describe('a worker dies', () => {
  // First, beside the others that wait for the real lock.
  test.concurrent(
    'C6, ST-T3: a worker frozen beyond its lease is refused when it wakes, and its process is gone',
    async () =>
      onPlatform(REAL, async (platform) => {
        const source = `export default async () => {
          const id = process.env.LATTICE_EXECUTION;
          if (id.endsWith('.1')) await new Promise((resolve) => setTimeout(resolve, 300_000));
          return id.split('.').at(-1);
        }`;
        await platform.scheduler();
        const frozen = await platform.spawn({ kind: 'worker' });
        const id = await platform.submit({
          name: 'frozen',
          tasks: {
            a: { uses: 'code', with: { language: 'javascript', source } },
            b: { uses: 'handler/echo', with: { of: '${{ tasks.a.output }}' } },
          },
        });
        await eventually('the process of a', () => (processesOf(`${id}.1.a.1`).length > 0 ? true : undefined));
        frozen.kill('SIGSTOP');
        await platform.worker();
        const run = await platform.wait(id, RECOVERY_MS + 10_000);
        expect(run).toMatchObject({
          status: 'completed',
          tasks: [{ attempts: 2, output: '2' }, { output: { of: '2' } }],
        });
        frozen.kill('SIGCONT');
        await eventually('the process of the lost attempt is gone', () =>
          processesOf(`${id}.1.a.1`).length === 0 ? true : undefined,
        );
        expect(faultsOfHistory(await platform.read(id), await platform.events(id))).toEqual([]);
      }),
    SLOW_MS,
  );

  test.concurrent.each(workerPoints)(
    '%s of %s: another one goes on',
    async (race, raceTask, again) =>
      onPlatform(race === 'after-begin' ? REAL : QUICK, async (platform) => {
        await platform.scheduler();
        const racer = await platform.spawn({ kind: 'worker', race, raceTask });
        const id = await platform.submit(diamond);
        expect(await racer.ended).toBe('SIGKILL');
        const died = Date.now();
        await platform.worker();
        const run = await platform.wait(id, RECOVERY_MS + 5_000);
        expect(Date.now() - died).toBeLessThan(RECOVERY_MS);
        await checkDiamond(platform, run, again);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'and comes again under its old id: its new life is not taken for the old one',
    async () =>
      onPlatform(QUICK, async (platform) => {
        await platform.scheduler();
        const racer = await platform.spawn({ kind: 'worker', race: 'after-begin', raceTask: 'a', workerId: 'pod-0' });
        const id = await platform.submit(diamond);
        expect(await racer.ended).toBe('SIGKILL');
        await platform.worker({ workerId: 'pod-0' });
        await checkDiamond(platform, await platform.wait(id, RECOVERY_MS + 5_000), ['a']);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'three times with the same task: it fails with worker_lost',
    async () =>
      onPlatform(QUICK, async (platform) => {
        await platform.scheduler();
        const id = await platform.submit({ name: 'deadly', tasks: { a: note('a', 1), b: note('b', 1, ['a']) } });
        for (let life = 0; life < 3; life += 1) {
          const racer = await platform.spawn({ kind: 'worker', race: 'after-begin', raceTask: 'a' });
          expect(await racer.ended).toBe('SIGKILL');
        }
        await platform.worker();
        const run = await platform.wait(id, RECOVERY_MS + 5_000);
        expect(run).toMatchObject({ status: 'failed', error: { code: 'worker_lost' } });
        expect(run.tasks).toMatchObject([
          { status: 'failed', attempts: 3 },
          { status: 'cancelled', attempts: 0 },
        ]);
        expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'while its run is cancelled: the run ends without it',
    async () =>
      onPlatform(QUICK, async (platform) => {
        const { requestCancel } = await import('@lattice/engine');
        await platform.scheduler();
        const racer = await platform.spawn({ kind: 'worker', workerId: 'pod-0' });
        const id = await platform.submit({
          name: 'sleeping',
          tasks: { a: { uses: 'handler/sleep', with: { ms: 600_000 } } },
        });
        await eventually('a runs', async () =>
          (await platform.read(id)).tasks[0]?.status === 'running' ? true : undefined,
        );
        racer.kill();
        await racer.ended;
        // One of the same name lives: by its heartbeat the attempt would seem to be in good hands.
        await platform.worker({ workerId: 'pod-0' });
        await requestCancel(platform.engine, id, 'enough');
        const run = await platform.wait(id, RECOVERY_MS + 5_000);
        expect(run.status).toBe('cancelled');
        expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
      }),
    SLOW_MS,
  );
});

describe('a scheduler dies', () => {
  const points: RacePoint[] = ['after-create', 'after-outbox-send', 'after-flush'];
  test.concurrent.each(points)(
    '%s: another one goes on',
    async (race) =>
      onPlatform(QUICK, async (platform) => {
        await platform.worker();
        const racer = await platform.spawn({ kind: 'scheduler', race });
        const id = await platform.submit(diamond);
        expect(await racer.ended).toBe('SIGKILL');
        await platform.scheduler();
        await checkDiamond(platform, await platform.wait(id), []);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'with the end of a run in Postgres but not told: whoever takes over clears Redis',
    async () =>
      onPlatform(QUICK, async (platform) => {
        const first = await platform.spawn({ kind: 'scheduler' });
        const id = await platform.submit(diamond);
        await eventually('it is queued', async () =>
          (await platform.read(id)).tasks[0]?.status === 'queued' ? true : undefined,
        );
        first.kill();
        await first.ended;
        await platform.worker();
        const { redis, keys } = platform.engine.queue;
        await eventually('it has ended in Redis', async () =>
          (await redis.hget(keys.run(id), 'st')) === 'final' ? true : undefined,
        );
        // All that is left comes to it in one batch.
        const racer = await platform.spawn({ kind: 'scheduler', race: 'after-flush' });
        expect(await racer.ended).toBe('SIGKILL');
        expect((await platform.read(id)).status).toBe('completed');
        await platform.scheduler();
        await checkDiamond(platform, await platform.wait(id), []);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'in the middle of a run, and comes again',
    async () =>
      onPlatform(QUICK, async (platform) => {
        await platform.worker();
        const first = await platform.spawn({ kind: 'scheduler' });
        const id = await platform.submit({
          ...diamond,
          tasks: { ...diamond.tasks, slow: { uses: 'handler/sleep', with: { ms: 1_000 } } },
        });
        await eventually('it runs', async () => ((await platform.read(id)).status === 'running' ? true : undefined));
        first.kill();
        await first.ended;
        await platform.scheduler();
        const run = await platform.wait(id);
        expect(run).toMatchObject({ status: 'completed', outputs: { value: 114 } });
        expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
      }),
    SLOW_MS,
  );

  test.concurrent(
    'never: two of them side by side do everything once',
    async () =>
      onPlatform(QUICK, async (platform) => {
        await Promise.all([platform.scheduler(), platform.scheduler(), platform.worker()]);
        const ids = await Promise.all(Array.from({ length: 40 }, () => platform.submit(diamond)));
        for (const id of ids) {
          const run = await platform.wait(id);
          expect(run).toMatchObject({ status: 'completed', outputs: { value: 114 } });
          expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
        }
        expect(readLedger(platform.ledger)).toHaveLength(200);
      }),
    SLOW_MS,
  );
});
