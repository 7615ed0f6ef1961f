import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestRerun } from '@lattice/engine';
import { readHead } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';
import { ownServices, type OwnServices } from '../../support/services';

const SLOW_MS = 60_000;

let services: OwnServices;
let platform: TestPlatform;

beforeAll(async () => {
  services = await ownServices();
  platform = await TestPlatform.running({ environment: { REDIS_URL: services.redisUrl, LATTICE_LOCK: '2s' } });
});
afterEach(() => platform.settled());
afterAll(async () => {
  await platform.close();
  await services.stop();
});

/** Can't be stopped: the run is being stopped for as long as it lasts. */
const stubborn = { uses: 'handler/stubborn', with: { ms: 3_000 } };
const behind = { uses: 'handler/noop', needs: 'a' };

/** Empties Redis once the run is being stopped, nobody is on the way to say so, and Postgres has heard what has ended. */
async function flushWhileStopping(runId: string, ended: readonly string[] = []): Promise<void> {
  await eventually('it is being stopped', async () =>
    ['cancelling', 'failing'].includes((await readHead(platform.engine.queue, runId))?.state ?? ''),
  );
  await eventually('all is told', async () => {
    const rows = await platform.engine.db.query("select from outbox where run_id = $1 and kind <> 'timeout'", [runId]);
    const { tasks } = await platform.read(runId);
    return rows.length === 0 && ended.every((key) => tasks.find((task) => task.key === key)?.finishedAt !== null);
  });
  expect((await platform.read(runId)).finishedAt).toBeNull();
  await services.flushRedis();
}

async function begun(runId: string, key: string): Promise<void> {
  await eventually(`${key} runs`, async () =>
    (await platform.read(runId)).tasks.some((task) => task.key === key && task.status === 'running'),
  );
}

test(
  'a run that is being cancelled when Redis is emptied is cancelled, and nothing of it is done again',
  async () => {
    const id = await platform.submit({ name: 'cancelled', tasks: { a: stubborn, b: behind } });
    await begun(id, 'a');
    await requestCancel(platform.engine, id, 'enough');
    await flushWhileStopping(id);
    const run = await platform.wait(id, SLOW_MS);
    expect(run).toMatchObject({ status: 'cancelled', tasks: [{ attempts: 1 }, { attempts: 0 }] });
    const events = await platform.events(id);
    expect(events.at(-1)).toMatchObject({ type: 'run.cancelled', data: { reason: 'enough' } });
    expect(events.map(({ type }) => type)).toContain('run.recovered');
    expect(faultsOfHistory(run, events)).toEqual([]);
  },
  SLOW_MS,
);

test(
  'a run whose time was over when Redis was emptied has failed by that',
  async () => {
    const id = await platform.submit({ name: 'late', timeout: '500ms', tasks: { a: stubborn, b: behind } });
    await flushWhileStopping(id);
    const run = await platform.wait(id, SLOW_MS);
    expect(run).toMatchObject({
      status: 'failed',
      error: { code: 'run_timeout' },
      tasks: [{ attempts: 1 }, { attempts: 0 }],
    });
    expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
  },
  SLOW_MS,
);

test(
  'a task that had failed when Redis was emptied stops its siblings still; a rerun that keeps it is not stopped by it',
  async () => {
    const file = join(platform.folder, 'go');
    const bad = { uses: 'handler/fail', needs: 'first' };
    const first = { uses: 'handler/sleep', with: { ms: 300 } };
    const id = await platform.submit({
      name: 'failing',
      tasks: { a: stubborn, b: behind, first, bad, other: { uses: 'handler/hold', with: { file } } },
    });
    await begun(id, 'a');
    writeFileSync(file, '');
    await flushWhileStopping(id, ['bad', 'other']);
    const run = await platform.wait(id, SLOW_MS);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'task_failed', details: { task: 'bad' } } });
    expect(run.tasks.map(({ key, status, attempts }) => [key, status, attempts])).toEqual([
      ['a', 'cancelled', 1],
      ['b', 'cancelled', 0],
      ['first', 'completed', 1],
      ['bad', 'failed', 1],
      ['other', 'completed', 1],
    ]);
    expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
    await requestRerun(platform.engine, id, { task: 'other', downstream: true });
    await begun(id, 'a');
    await services.flushRedis();
    const again = await platform.wait(id, SLOW_MS);
    expect(again.error).toMatchObject({ code: 'run_failed' });
    expect(again.tasks.map(({ key, status }) => `${key} ${status}`)).toEqual([
      'a completed',
      'b completed',
      'first completed',
      'bad failed',
      'other completed',
    ]);
    expect(existsSync(file)).toBe(true);
  },
  SLOW_MS,
);

test(
  'what a run had started that is being cancelled when Redis is emptied is cancelled, too',
  async () => {
    const id = await platform.submit({
      name: 'parent',
      tasks: { each: { uses: 'map', with: { over: [1, 2], tasks: { a: stubborn, b: behind } } } },
    });
    const below = () => runsBelow(platform, id);
    await eventually('both have begun', async () => (await below()).length === 2);
    for (const { id: child } of await below()) await begun(child, 'a');
    await requestCancel(platform.engine, id, 'enough');
    await flushWhileStopping(id);
    expect((await platform.wait(id, SLOW_MS)).status).toBe('cancelled');
    for (const { id: child, status } of await below()) {
      expect(status).toBe('cancelled');
      const run = await platform.read(child);
      expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 0]);
      expect(faultsOfHistory(run, await platform.events(child))).toEqual([]);
    }
  },
  SLOW_MS,
);
