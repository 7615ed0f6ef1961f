import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { processesOf } from '../../support/processes';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.open({ LATTICE_GRACE: '200ms' });
  await platform.scheduler();
  await platform.scheduler();
  await platform.worker({ env: { LATTICE_CONCURRENCY: '2' } });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const code = (source: string) => ({ uses: 'code', with: { language: 'javascript', source } });

/** A process that starts another one and sleeps, deaf to SIGTERM. */
const tree = code(`import { spawn } from 'node:child_process';
  export default async () => {
    process.on('SIGTERM', () => undefined);
    spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 300_000));
  };`);

/** Logs a line every 100 ms, for two seconds and a half. */
const talker = code(`export default async () => {
    for (let line = 0; line < 25; line += 1) {
      console.log('line', line);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return 'said';
  };`);

/** Milliseconds from the start of the last attempt of a task to its end. */
async function timeOf(runId: string, key: string): Promise<number> {
  const own = (await platform.events(runId)).filter(({ taskKey }) => taskKey === key);
  const start = own.findLast(({ type }) => type === 'task.started');
  return Date.parse(own.at(-1)?.at ?? '') - Date.parse(start?.at ?? '');
}

async function expectWhole(runId: string): Promise<void> {
  expect(faultsOfHistory(await platform.read(runId), await platform.events(runId))).toEqual([]);
}

describe('the timeout of an attempt', () => {
  test('CM-T5, CM-T8: stops the work at the moment it passes', async () => {
    const run = await platform.run({ name: 'slow', tasks: { a: { ...tree, timeout: '1s' } } });
    expect(run.tasks[0]).toMatchObject({ status: 'failed', error: { code: 'timeout', retryable: true } });
    expect(processesOf(`${run.runId}.`)).toEqual([]);
    const took = await timeOf(run.runId, 'a');
    expect(took).toBeGreaterThanOrEqual(990);
    expect(took).toBeLessThan(3_200);
    await expectWhole(run.runId);
  });
});

describe('heartbeat', () => {
  test('silence stops the work, with all its processes, and another attempt is made', async () => {
    const run = await platform.run({
      name: 'silent',
      tasks: { a: { ...tree, heartbeat: '1s', retry: { maxAttempts: 2, initialDelay: '10ms' } } },
    });
    expect(run.tasks[0]).toMatchObject({
      status: 'failed',
      attempts: 2,
      error: { code: 'heartbeat_timeout', retryable: true, details: { heartbeatMs: 1_000 } },
    });
    expect(processesOf(`${run.runId}.`)).toEqual([]);
    expect(await timeOf(run.runId, 'a')).toBeLessThan(3_200);
    await expectWhole(run.runId);
  });

  test('lines, progress and ctx.heartbeat() are signs of life', async () => {
    const run = await platform.run({
      name: 'alive',
      defaults: { heartbeat: '2s' },
      tasks: { talks: talker, beats: { uses: 'handler/beat', with: { beats: 25, every: 100 } } },
    });
    expect(run.tasks.map(({ output }) => output)).toEqual(['said', 'beaten']);
  });

  test('a handler that says nothing is told to stop', async () => {
    const run = await platform.run({
      name: 'mute',
      tasks: { a: { uses: 'handler/sleep', with: { ms: 60_000 }, heartbeat: '200ms' } },
    });
    expect(run.tasks[0]).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'heartbeat_timeout' } });
  });
});

describe('queueTimeout', () => {
  test('ends a task that nobody began, and says why', async () => {
    const run = await platform.run({
      name: 'nobody',
      onFailure: 'continue',
      tasks: {
        a: { uses: 'handler/nobody', queueTimeout: '300ms' },
        b: { uses: 'handler/noop', needs: 'a' },
        c: { uses: 'handler/noop', needs: 'b', trigger: 'all-done' },
        d: { uses: 'handler/noop', queueTimeout: '60s' },
      },
    });
    expect(run.tasks.map(({ status, reason }) => [status, reason])).toEqual([
      ['failed', null],
      ['skipped', 'dependency_failed'],
      ['completed', null],
      ['completed', null],
    ]);
    expect(run.tasks[0]).toMatchObject({ attempts: 0, startedAt: null, error: { code: 'queue_timeout' } });
    expect(run.tasks[0]?.error?.message).toContain('no worker has the handler "nobody"');
    const events = await platform.events(run.runId);
    const times = events.filter(({ taskKey }) => taskKey === 'a').map(({ at }) => Date.parse(at));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(290);
    await expectWhole(run.runId);
  });

  test('fails a run as any failure does', async () => {
    const run = await platform.run({
      name: 'nobody',
      tasks: {
        a: { uses: 'handler/noop' },
        b: { uses: 'handler/nobody', needs: 'a', queueTimeout: '100ms' },
        c: { uses: 'handler/noop', needs: 'b' },
      },
    });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'queue_timeout', details: { task: 'b' } } });
    expect(run.tasks.map(({ status }) => status)).toEqual(['completed', 'failed', 'cancelled']);
    await expectWhole(run.runId);
  });

  test('counts to the first start only: retries, and work that lasts, are left alone', async () => {
    const run = await platform.run({
      name: 'begun',
      defaults: { queueTimeout: '2s' },
      tasks: {
        again: {
          uses: 'handler/fail',
          with: { times: 1 },
          retry: { maxAttempts: 2, initialDelay: '2500ms' },
        },
        long: { uses: 'handler/sleep', with: { ms: 2_500 } },
      },
    });
    expect(run.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
      ['completed', 2],
      ['completed', 1],
    ]);
  });

  test('a retry of the run starts it anew', async () => {
    const id = await platform.submit({
      name: 'anew',
      tasks: { a: { uses: 'handler/nobody', queueTimeout: '150ms' } },
    });
    expect((await platform.wait(id)).status).toBe('failed');
    await requestControl(platform.engine, id, 'retry');
    const run = await platform.wait(id);
    expect(run).toMatchObject({ status: 'failed', tasks: [{ error: { code: 'queue_timeout' } }] });
    const types = (await platform.events(id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'task.failed')).toHaveLength(2);
    expect(types.filter((type) => type === 'task.queued')).toHaveLength(2);
  });

  test('a paused run is not ended by it; busy workers are the reason given', async () => {
    const file = join(platform.folder, 'hold');
    const holding = await platform.submit({
      name: 'holding',
      tasks: { h: { uses: 'handler/hold', with: { file } }, i: { uses: 'handler/hold', with: { file } } },
    });
    await eventually('both hold', async () =>
      (await platform.read(holding)).tasks.every(({ status }) => status === 'running') ? true : undefined,
    );
    const late = await platform.run({ name: 'late', tasks: { a: { uses: 'handler/noop', queueTimeout: '200ms' } } });
    expect(late.tasks[0]?.error?.message).toContain('busy');
    const paused = await platform.submit({
      name: 'paused',
      tasks: { a: { uses: 'handler/noop', queueTimeout: '2s' } },
    });
    await requestControl(platform.engine, paused, 'pause');
    await eventually('paused', async () => ((await platform.read(paused)).status === 'paused' ? true : undefined));
    await eventually('its time was looked at', async () => {
      const [row] = await platform.engine.db.query(
        "select 1 from outbox where run_id = $1 and not_before > created_at + interval '4 s'",
        [paused],
      );
      return row;
    });
    writeFileSync(file, '');
    await requestControl(platform.engine, paused, 'resume');
    expect((await platform.wait(paused)).status).toBe('completed');
    await platform.wait(holding);
  });

  test('a scheduler that dies between the record and the release loses nothing', async () => {
    const other = await TestPlatform.open();
    try {
      const first = await other.spawn({ kind: 'scheduler', race: 'after-record', raceTask: 'a' });
      await other.worker();
      const id = await other.submit({
        name: 'crash',
        onFailure: 'continue',
        tasks: {
          a: { uses: 'handler/nobody', queueTimeout: '500ms' },
          b: { uses: 'handler/noop', needs: 'a', trigger: 'all-done' },
        },
      });
      expect(await first.ended).toBe('SIGKILL');
      await other.scheduler();
      const run = await other.wait(id);
      expect(run.tasks.map(({ status }) => status)).toEqual(['failed', 'completed']);
      expect(faultsOfHistory(run, await other.events(id))).toEqual([]);
      await other.settled();
    } finally {
      await other.close();
    }
  });
});
