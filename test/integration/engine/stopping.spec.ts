import { requestCancel, requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { processesOf } from '../../support/processes';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ workers: 2 });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

/** A process that starts another one and sleeps, deaf to SIGTERM. */
const tree = {
  uses: 'code',
  with: {
    language: 'javascript',
    source: `import { spawn } from 'node:child_process';
      export default async () => {
        process.on('SIGTERM', () => undefined);
        spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
        console.log('sleeps');
        await new Promise((resolve) => setTimeout(resolve, 300_000));
      };`,
  },
};

async function until(runId: string, key: string, status: string): Promise<void> {
  await eventually(`${key} is ${status}`, async () =>
    (await platform.read(runId)).tasks.find((task) => task.key === key)?.status === status ? true : undefined,
  );
}

async function cancelled(runId: string): Promise<number> {
  const from = Date.now();
  await requestCancel(platform.engine, runId, 'enough');
  const run = await platform.wait(runId);
  expect(run.status).toBe('cancelled');
  expect(faultsOfHistory(run, await platform.events(runId))).toEqual([]);
  expect(run.tasks.every(({ status }) => status === 'cancelled' || status === 'completed')).toBe(true);
  return Date.now() - from;
}

test('cancel before its time has come', async () => {
  const id = await platform.submit({ name: 'later', tasks: { a: { uses: 'handler/noop' } } }, { delay: '60s' });
  await cancelled(id);
  // It never started, and is not said to have.
  expect((await platform.events(id)).map(({ type }) => type)).toEqual([
    'run.created',
    'task.cancelled',
    'run.cancelled',
  ]);
  expect((await platform.wait(id)).startedAt).toBeNull();
});

test('cancel at the same moment as the submission', async () => {
  for (let round = 0; round < 20; round += 1) {
    const id = await platform.submit({
      name: 'quick',
      tasks: { a: { uses: 'handler/sleep', with: { ms: 5 } }, b: { uses: 'handler/noop', needs: 'a' } },
    });
    await requestCancel(platform.engine, id, 'enough').catch(() => undefined);
    const run = await platform.wait(id);
    expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
  }
});

test('cancel while no worker serves the class', async () => {
  const id = await platform.submit({
    name: 'nobody',
    tasks: { a: { uses: 'handler/nobody' }, b: { uses: 'handler/noop', needs: 'a' } },
  });
  await until(id, 'a', 'queued');
  expect(await cancelled(id)).toBeLessThan(2_000);
});

test('cancel between two attempts', async () => {
  const id = await platform.submit({
    name: 'waiting',
    tasks: { a: { uses: 'handler/fail', retry: { maxAttempts: 5, initialDelay: '60s' } } },
  });
  await until(id, 'a', 'retrying');
  expect(await cancelled(id)).toBeLessThan(2_000);
});

test('cancel while paused', async () => {
  const id = await platform.submit({
    name: 'paused',
    tasks: { a: { uses: 'handler/sleep', with: { ms: 300 } }, b: { uses: 'handler/noop', needs: 'a' } },
  });
  await until(id, 'a', 'running');
  await requestControl(platform.engine, id, 'pause');
  await until(id, 'a', 'completed');
  await cancelled(id);
});

test('C4: cancel reaches running code in under 2 s, and nothing of its processes is left', async () => {
  const id = await platform.submit({
    name: 'running',
    tasks: {
      a: tree,
      b: { uses: 'handler/sleep', with: { ms: 60_000 } },
      c: { uses: 'handler/noop', needs: ['a', 'b'] },
    },
  });
  await until(id, 'b', 'running');
  await eventually('two processes', () => (processesOf(`${id}.`).length >= 2 ? true : undefined));
  const from = Date.now();
  await requestCancel(platform.engine, id, 'enough');
  await eventually('told to stop', async () =>
    (await platform.events(id)).some(({ type, taskKey }) => type === 'task.cancelled' && taskKey === 'b')
      ? true
      : undefined,
  );
  expect(Date.now() - from).toBeLessThan(2_000);
  // The process that is deaf to SIGTERM has its grace of 2 s.
  const run = await platform.wait(id);
  expect(run.status).toBe('cancelled');
  expect(Date.now() - from).toBeLessThan(4_500);
  expect(processesOf(`${id}.`)).toEqual([]);
  expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
});

test('CM-T7, C2: a failed task stops its running siblings', async () => {
  const from = Date.now();
  const id = await platform.submit({
    name: 'failing',
    tasks: {
      bad: { uses: 'handler/fail', needs: 'slow' },
      slow: { uses: 'handler/sleep', with: { ms: 700 } },
      sibling: tree,
      handler: { uses: 'handler/sleep', with: { ms: 60_000 } },
      waiting: { uses: 'handler/nobody' },
      late: { uses: 'handler/noop', needs: ['sibling', 'handler'] },
    },
  });
  const run = await platform.wait(id);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'task_failed', details: { task: 'bad' } } });
  expect(Date.now() - from).toBeLessThan(7_000);
  const ends = Object.fromEntries(run.tasks.map(({ key, status, reason }) => [key, [status, reason]]));
  expect(ends).toMatchObject({
    sibling: ['cancelled', 'run_failed'],
    handler: ['cancelled', 'run_failed'],
    waiting: ['cancelled', 'run_failed'],
    late: ['cancelled', 'run_failed'],
  });
  expect(processesOf(`${id}.`)).toEqual([]);
  expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
});

test('a handler that can not be stopped says nothing after its run has ended', async () => {
  const id = await platform.submit({ name: 'deaf', tasks: { a: { uses: 'handler/stubborn', with: { ms: 3_500 } } } });
  await until(id, 'a', 'running');
  await cancelled(id);
  await eventually('it would have spoken', async () =>
    (await platform.read(id)).finishedAt !== null ? true : undefined,
  );
  expect((await platform.events(id)).at(-1)?.type).toBe('run.cancelled');
});

test('many waiting jobs of a failed run are let go of quickly', async () => {
  const many = Array.from({ length: 600 }, (_, index) => [`t${index}`, { uses: 'handler/sleep', with: { ms: 1_000 } }]);
  const from = Date.now();
  const run = await platform.run({
    name: 'many',
    tasks: { bad: { uses: 'handler/fail' }, ...Object.fromEntries(many) },
  });
  expect(run.status).toBe('failed');
  expect(Date.now() - from).toBeLessThan(10_000);
});
