import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { NEWER } from '../../support/newer-compiler';
import { TestPlatform, type Process } from '../../support/platform';

const QUICK = { LATTICE_LOCK: '8s', LATTICE_CPUS: '64', LATTICE_CONCURRENCY: '64' };
const SLOW_MS = 180_000;
const LIMIT_MS = 60_000;
/** More with UPGRADE_RUNS. */
const RUNS = Number(process.env['UPGRADE_RUNS'] ?? 10);

const note = (task: string, needs: string[]) => ({
  uses: 'handler/note',
  needs,
  with: { run: '${{ run.id }}', task, value: 1, ms: 20 },
});

/** Chains, gates that several tasks share, tasks of the schedulers, and a join of all: whoever counts other gates hangs or comes too early. */
const layered = (file: string) => ({
  name: 'layered',
  tasks: {
    a: note('a', []),
    b: note('b', ['a']),
    c: { uses: 'handler/hold', needs: ['b'], with: { file } },
    d: note('d', ['b']),
    e: note('e', ['c', 'd']),
    f: note('f', ['c', 'd']),
    pause: { uses: 'wait', needs: ['d'], with: { for: '300ms' } },
    g: note('g', ['e', 'f']),
    h: note('h', ['e', 'f', 'pause']),
    i: note('i', ['g', 'h']),
    each: {
      uses: 'map',
      needs: ['f'],
      with: { over: [1, 2], do: { uses: 'handler/add', with: { a: '${{ each.item }}', b: 1 } } },
    },
    end: note('end', ['i', 'each']),
  },
  outputs: { each: '${{ tasks.each.output }}' },
});
/** Of a run in the ledger. */
const NOTES = 9;

async function onPlatform(body: (platform: TestPlatform) => Promise<void>): Promise<void> {
  const platform = await TestPlatform.open(QUICK);
  try {
    await body(platform);
    await platform.settled();
  } finally {
    await platform.close();
  }
}

const noted = (platform: TestPlatform): number => readLedger(platform.ledger).length;

async function stop(process: Process): Promise<void> {
  process.kill('SIGTERM');
  expect(await process.ended).toBe('0');
}

/** All runs end right, and what had ended was not done again. */
async function checkAll(platform: TestPlatform, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const run = await platform.wait(id, LIMIT_MS);
    expect(run).toMatchObject({ status: 'completed', outputs: { each: [2, 3] } });
    expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
  }
}

async function moved(platform: TestPlatform, ids: readonly string[]): Promise<number> {
  const histories = await Promise.all(ids.map((id) => platform.events(id)));
  return histories.filter((events) => events.some(({ data }) => data['reason'] === 'upgraded')).length;
}

/** Starts so many runs; all of them come to the task that waits for the file. */
async function submitHeld(platform: TestPlatform, count: number): Promise<{ ids: string[]; file: string }> {
  const file = join(platform.folder, 'go');
  const ids = await Promise.all(Array.from({ length: count }, () => platform.submit(layered(file))));
  const { redis, keys } = platform.engine.queue;
  await eventually(
    'all runs hold',
    async () => {
      const marks = await Promise.all(ids.map((id) => redis.hget(keys.run(id), 'w:c')));
      return marks.every((mark) => mark !== null) ? true : undefined;
    },
    LIMIT_MS,
  );
  return { ids, file };
}

/** Waits until a scheduler of the newer version lets nothing more begin of the runs. */
async function heldUp(platform: TestPlatform, ids: readonly string[]): Promise<void> {
  const { redis, keys } = platform.engine.queue;
  await eventually(
    'all are held up',
    async () => {
      const versions = await Promise.all(ids.map((id) => redis.hget(keys.run(id), 'v')));
      if (versions.every((version) => version === String(-NEWER.version))) return true;
      throw new Error(`their versions are ${versions.join(' ')}`);
    },
    LIMIT_MS,
  );
}

describe('a rolling upgrade to a version whose plans have other gates', () => {
  const start = async (platform: TestPlatform) => {
    const scheduler = await platform.spawn({ kind: 'scheduler' });
    const worker = await platform.spawn({ kind: 'worker' });
    return { scheduler, worker, ...(await submitHeld(platform, RUNS)) };
  };

  test(
    'of the scheduler first, then the worker: every run goes on, no task is done twice',
    async () =>
      onPlatform(async (platform) => {
        const { scheduler, worker, ids, file } = await start(platform);
        await platform.spawn({ kind: 'scheduler', plans: 'newer' });
        await heldUp(platform, ids);
        await stop(scheduler);
        writeFileSync(file, '');
        await platform.spawn({ kind: 'worker', plans: 'newer' });
        await stop(worker);
        await checkAll(platform, ids);
        for (const id of ids) {
          const { tasks } = await platform.read(id);
          expect(tasks.filter(({ attempts }) => attempts !== 1)).toEqual([]);
        }
        expect(noted(platform)).toBe(RUNS * NOTES);
        expect(await moved(platform, ids)).toBe(RUNS);
      }),
    SLOW_MS,
  );

  test(
    'of the worker first, then the scheduler',
    async () =>
      onPlatform(async (platform) => {
        const { scheduler, worker, ids, file } = await start(platform);
        await platform.spawn({ kind: 'worker', plans: 'newer' });
        writeFileSync(file, '');
        await stop(worker);
        await platform.spawn({ kind: 'scheduler', plans: 'newer' });
        await stop(scheduler);
        await checkAll(platform, ids);
        expect(noted(platform)).toBe(RUNS * NOTES);
        expect(await moved(platform, ids)).toBeGreaterThan(RUNS / 2);
      }),
    SLOW_MS,
  );

  test(
    'with processes of both versions side by side',
    async () =>
      onPlatform(async (platform) => {
        const { ids, file } = await start(platform);
        await platform.spawn({ kind: 'scheduler', plans: 'newer' });
        await platform.spawn({ kind: 'worker', plans: 'newer' });
        writeFileSync(file, '');
        ids.push(...(await Promise.all(Array.from({ length: 10 }, () => platform.submit(layered(file))))));
        await checkAll(platform, ids);
        expect(noted(platform)).toBe((RUNS + 10) * NOTES);
      }),
    SLOW_MS,
  );

  test(
    'and back again: what the newer version has waits for it, new runs go on',
    async () =>
      onPlatform(async (platform) => {
        const newer = [
          await platform.spawn({ kind: 'scheduler', plans: 'newer' }),
          await platform.spawn({ kind: 'worker', plans: 'newer' }),
        ];
        const { ids, file } = await submitHeld(platform, 5);
        for (const one of newer) one.kill();
        await Promise.all(newer.map(({ ended }) => ended));
        writeFileSync(file, '');
        const before = noted(platform);
        const old = [await platform.spawn({ kind: 'scheduler' }), await platform.spawn({ kind: 'worker' })];
        await checkAll(platform, [await platform.submit(layered(file)), await platform.submit(layered(file))]);
        expect(noted(platform)).toBe(before + 2 * NOTES);
        const last = ids.pop() ?? '';
        await requestCancel(platform.engine, last, 'enough');
        expect((await platform.wait(last, LIMIT_MS)).status).toBe('cancelled');
        for (const id of ids) expect((await platform.read(id)).status).toBe('running');
        await platform.spawn({ kind: 'scheduler', plans: 'newer' });
        await platform.spawn({ kind: 'worker', plans: 'newer' });
        await Promise.all(old.map(stop));
        await checkAll(platform, ids);
        expect(await moved(platform, ids)).toBe(0);
      }),
    SLOW_MS,
  );
});

test.concurrent(
  'a scheduler dies after it has moved a run: another one adds what is open',
  async () =>
    onPlatform(async (platform) => {
      const old = await platform.spawn({ kind: 'scheduler' });
      await platform.worker();
      const { ids, file } = await submitHeld(platform, 1);
      const racer = await platform.spawn({ kind: 'scheduler', plans: 'newer', race: 'after-move' });
      await heldUp(platform, ids);
      writeFileSync(file, '');
      expect(await racer.ended).toBe('SIGKILL');
      await platform.worker({ plans: 'newer' });
      await platform.scheduler(undefined, 'newer');
      await stop(old);
      await checkAll(platform, ids);
      expect(noted(platform)).toBe(NOTES);
      expect(await moved(platform, ids)).toBe(1);
    }),
  SLOW_MS,
);

test.concurrent(
  'what is being done when its run is to be moved may end; what was lost then is tried again',
  async () =>
    onPlatform(async (platform) => {
      const old = await platform.spawn({ kind: 'scheduler' });
      const worker = await platform.spawn({ kind: 'worker', workerId: 'pod-0' });
      const lost = await platform.spawn({ kind: 'worker', workerId: 'pod-1' });
      const file = join(platform.folder, 'go');
      const held = { name: 'held', tasks: { a: { uses: 'handler/hold', with: { file } }, b: note('b', ['a']) } };
      const ids = await Promise.all(Array.from({ length: 14 }, () => platform.submit(held)));
      const views = () => Promise.all(ids.map((id) => platform.read(id)));
      await eventually('all run', async () =>
        (await views()).every(({ tasks }) => tasks[0]?.status === 'running') ? true : undefined,
      );
      const killed = (await views()).filter(({ tasks }) => tasks[0]?.workerId === 'pod-1').length;
      expect(killed).toBeGreaterThan(0);
      await platform.spawn({ kind: 'scheduler', plans: 'newer' });
      await heldUp(platform, ids);
      lost.kill();
      await lost.ended;
      // One of the same name lives.
      await platform.spawn({ kind: 'worker', workerId: 'pod-1', plans: 'newer' });
      writeFileSync(file, '');
      const runs = await Promise.all(ids.map((id) => platform.wait(id, LIMIT_MS)));
      for (const run of runs) {
        expect(run.status).toBe('completed');
        expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
      }
      const attempts = runs.map(({ tasks }) => tasks[0]?.attempts);
      expect(attempts.filter((count) => count === 1)).toHaveLength(14 - killed);
      expect(attempts.filter((count) => count === 2)).toHaveLength(killed);
      expect(await moved(platform, ids)).toBe(14);
      await Promise.all([stop(old), stop(worker)]);
    }),
  SLOW_MS,
);

test.concurrent(
  'a paused run is moved and stays paused',
  async () =>
    onPlatform(async (platform) => {
      const old = await platform.scheduler();
      const worker = await platform.worker();
      const { ids, file } = await submitHeld(platform, 1);
      const [id = ''] = ids;
      await requestControl(platform.engine, id, 'pause');
      await eventually('it is paused', async () => ((await platform.read(id)).status === 'paused' ? true : undefined));
      writeFileSync(file, '');
      await old.stop();
      await worker.stop();
      await platform.scheduler(undefined, 'newer');
      await platform.worker({ plans: 'newer' });
      await eventually('it was moved', async () => ((await moved(platform, [id])) === 1 ? true : undefined));
      expect((await platform.read(id)).status).toBe('paused');
      await requestControl(platform.engine, id, 'resume');
      await checkAll(platform, [id]);
      expect(noted(platform)).toBe(NOTES);
    }),
  SLOW_MS,
);
