import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '@lattice/engine';
import { readHead } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';

let platform: TestPlatform;

beforeEach(async () => {
  platform = await TestPlatform.open();
});
afterEach(() => platform.close());

const held = (file: string): Record<string, unknown> => ({
  name: 'held',
  tasks: { a: { uses: 'handler/hold', with: { file } }, b: { uses: 'handler/echo', needs: ['a'] } },
});

test('a resume is taken right after the pause, before a scheduler has seen either, and a pause right after the resume', async () => {
  const file = join(platform.folder, 'go');
  const id = await platform.submit(held(file));
  const ask = (what: 'pause' | 'resume'): Promise<void> => requestControl(platform.engine, id, what);
  await expect(ask('resume')).rejects.toMatchObject({ code: 'illegal_transition' });
  for (const what of ['pause', 'resume', 'pause', 'resume'] as const) await ask(what);
  await expect(ask('resume')).rejects.toMatchObject({ code: 'illegal_transition' });
  await platform.scheduler();
  await platform.worker();
  writeFileSync(file, '');
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
  await expect(ask('pause')).rejects.toMatchObject({ code: 'illegal_transition' });
  await platform.settled();
});

test('a resume is taken as soon as the run has paused, and a pause as soon as it goes on, whether history says so yet or not', async () => {
  await platform.scheduler();
  await platform.worker();
  const file = join(platform.folder, 'go');
  const id = await platform.submit(held(file));
  const becomes = (state: string): Promise<true> =>
    eventually(`the run is ${state} in Redis`, async () =>
      (await readHead(platform.engine.queue, id))?.state === state ? true : undefined,
    );
  await becomes('running');
  for (let round = 0; round < 5; round += 1) {
    await requestControl(platform.engine, id, 'pause');
    await becomes('paused');
    await requestControl(platform.engine, id, 'resume');
    await becomes('running');
  }
  writeFileSync(file, '');
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  const events = await platform.events(id);
  expect(events.filter(({ type }) => type === 'run.paused')).toHaveLength(5);
  expect(faultsOfHistory(run, events)).toEqual([]);
  await platform.settled();
});

test('a resume that a scheduler could not finish is done again: what the run has started goes on, and so do the jobs that were put aside', async () => {
  const file = join(platform.folder, 'go');
  writeFileSync(file, '');
  let failed = 0;
  await platform.scheduler((point, about) => {
    if (point !== 'after-resume' || about.runId !== id || failed > 0) return Promise.resolve();
    failed += 1;
    return Promise.reject(new Error('Postgres is away'));
  });
  const hold = { uses: 'handler/hold', with: { file } };
  const id = await platform.submit({
    name: 'parent',
    tasks: { own: hold, each: { uses: 'map', with: { over: [1, 2], do: hold } } },
  });
  await eventually('its rounds are there', async () => (await runsBelow(platform, id)).length === 2);
  await requestControl(platform.engine, id, 'pause');
  await eventually('all is paused', async () =>
    [await platform.read(id), ...(await runsBelow(platform, id))].every(({ status }) => status === 'paused'),
  );
  await platform.worker();
  await eventually('its job is put aside', async () =>
    (await platform.engine.queue.redis.hget(platform.engine.queue.keys.run(id), 'pk'))?.includes('own'),
  );
  await requestControl(platform.engine, id, 'resume');
  expect((await platform.wait(id)).status).toBe('completed');
  expect(failed).toBe(1);
  expect((await platform.events(id)).filter(({ type }) => type === 'run.resumed')).toHaveLength(1);
  await platform.settled();
});

test('a job that is put aside while its run goes on again does not stay there', async () => {
  await platform.scheduler();
  const file = join(platform.folder, 'go');
  const { queue } = platform.engine;
  let resumed = 0;
  await platform.worker({
    race: async (point, { runId }) => {
      if (point !== 'before-park') return;
      await requestControl(platform.engine, runId, 'resume');
      await eventually('it goes on', async () => (await readHead(queue, runId))?.state === 'running');
      await eventually('the resume is done', async () => {
        const rows = await platform.engine.db.query('select from outbox where run_id = $1', [runId]);
        return rows.length === 0;
      });
      resumed += 1;
    },
  });
  const id = await platform.submit({ ...held(file), fuse: false });
  await eventually('a runs', async () => (await platform.read(id)).tasks[0]?.status === 'running');
  await requestControl(platform.engine, id, 'pause');
  await eventually('it is paused', async () => (await readHead(queue, id))?.state === 'paused');
  writeFileSync(file, '');
  expect((await platform.wait(id)).status).toBe('completed');
  expect(resumed).toBe(1);
  await platform.settled();
});

test('a pause that is asked for before the retry of the run was sent is not lost', async () => {
  const [scheduler, worker] = [await platform.scheduler(), await platform.worker()];
  const id = await platform.submit({ name: 'again', tasks: { a: { uses: 'handler/fail', with: { times: 1 } } } });
  expect((await platform.wait(id)).status).toBe('failed');
  await Promise.all([scheduler.stop(), worker.stop()]);
  await requestControl(platform.engine, id, 'retry');
  await requestControl(platform.engine, id, 'pause');
  await platform.scheduler();
  await eventually('it is paused', async () => (await platform.read(id)).status === 'paused');
  await platform.worker();
  await requestControl(platform.engine, id, 'resume');
  expect((await platform.wait(id)).status).toBe('completed');
  await platform.settled();
});
