import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWorkers } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeEach(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
});
afterEach(() => platform.close());

const noop = (more: Record<string, unknown> = {}) => ({
  name: 'noop',
  tasks: { t: { uses: 'handler/noop', ...more } },
});
const where = async (document: Record<string, unknown>) => (await platform.run(document)).tasks[0]?.workerId;
const labelled = (workerId: string, labels: string) => platform.worker({ workerId, env: { LATTICE_LABELS: labels } });
const PREFER = { prefer: [{ runsOn: { zone: 'b' }, weight: 3 }, { runsOn: { disk: 'ssd' } }] };

test('a task is pinned to a worker by its id', async () => {
  await Promise.all([labelled('a', 'zone=a'), labelled('b', 'zone=b'), labelled('c', 'zone=c')]);
  for (const id of ['c', 'a', 'b', 'a']) expect(await where(noop({ runsOn: { 'worker.id': id } }))).toBe(id);
});

test('a task goes to the worker that it prefers, by weight, and to another when that one does not come', async () => {
  await Promise.all([labelled('a', 'zone=a'), labelled('disk', 'zone=a,disk=ssd')]);
  const slow = { ...PREFER, preferWait: '400ms' };
  for (let round = 0; round < 3; round += 1) expect(await where(noop(slow))).toBe('disk');
  await labelled('b', 'zone=b');
  for (let round = 0; round < 3; round += 1) expect(await where(noop(slow))).toBe('b');
  const started = performance.now();
  expect(await where(noop({ prefer: [{ runsOn: { zone: 'nowhere' } }], preferWait: '300ms' }))).toBeDefined();
  expect(performance.now() - started).toBeGreaterThanOrEqual(290);
});

test('many tasks that prefer a worker which is not there wait once, not one after the other', async () => {
  await labelled('a', 'zone=a');
  const tasks = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [`t${n}`, { uses: 'handler/noop', ...PREFER, preferWait: '300ms' }]),
  );
  const started = performance.now();
  await platform.run({ name: 'many', tasks });
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('a handler that loads something tells so, and those that want it come to its worker', async () => {
  await Promise.all([labelled('a', 'zone=a'), labelled('b', 'zone=b')]);
  await platform.run({
    name: 'load',
    tasks: { t: { uses: 'handler/load', with: { model: 'llama' }, runsOn: { 'worker.id': 'b' } } },
  });
  for (let round = 0; round < 3; round += 1)
    expect(await where(noop({ prefer: [{ runsOn: { model: 'llama' } }], preferWait: '1s' }))).toBe('b');
  expect(await where(noop({ runsOn: { model: 'llama' } }))).toBe('b');
  const shown = await eventually('the label is shown', async () =>
    (await readWorkers(platform.engine)).find(({ labels }) => labels['model'] === 'llama'),
  );
  expect(shown.workerId).toBe('b');
});

test('tasks are packed on the fullest worker, or spread over the emptiest', async () => {
  const file = join(platform.folder, 'go');
  const env = { LATTICE_CPUS: '4' };
  await Promise.all([platform.worker({ workerId: 'a', env }), platform.worker({ workerId: 'b', env })]);
  const hold = (more: Record<string, unknown>) => platform.submit(noopHold(file, { resources: { cpu: 1 }, ...more }));
  const started = async (runId: string) =>
    eventually('it runs', async () => {
      const [task] = (await platform.read(runId)).tasks;
      return task?.status === 'running' ? (task.workerId ?? undefined) : undefined;
    });
  const first = await started(await hold({ runsOn: { 'worker.id': 'a' } }));
  expect(first).toBe('a');
  expect(await started(await hold({ place: 'spread' }))).toBe('b');
  expect(await started(await hold({ runsOn: { 'worker.id': 'b' } }))).toBe('b');
  expect(await started(await hold({ place: 'pack' }))).toBe('b');
  expect(await started(await hold({ place: 'spread' }))).toBe('a');
  writeFileSync(file, '');
});

test('what was put aside is done again where it is packed, or preferred elsewhere', async () => {
  await labelled('a', 'zone=a');
  const retry = { maxAttempts: 2, initialDelay: '10ms' };
  const failing = { uses: 'handler/fail', with: { times: 1 }, retry };
  const tasks = { packed: { ...failing, place: 'pack' }, wanted: { ...failing, ...PREFER, preferWait: '200ms' } };
  const run = await platform.run({ name: 'again', tasks });
  expect(run.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
    ['completed', 2],
    ['completed', 2],
  ]);
});

test('a chain goes on after its slice on a worker that it does not prefer', async () => {
  await labelled('a', 'zone=a');
  const task = { uses: 'handler/sleep', with: { ms: 600 }, ...PREFER, preferWait: '200ms' };
  const tasks = { one: task, two: { ...task, needs: ['one'] }, three: { ...task, needs: ['two'] } };
  expect((await platform.run({ name: 'chain', tasks })).status).toBe('completed');
});

const noopHold = (file: string, more: Record<string, unknown>) => ({
  name: 'hold',
  tasks: { t: { uses: 'handler/hold', with: { file }, ...more } },
});

test('E5: a worker holds no task that it can not start, so that another one takes it', async () => {
  const file = join(platform.folder, 'go');
  await platform.worker({ workerId: 'full', env: { LATTICE_CPUS: '1' } });
  const one = await platform.submit(noopHold(file, { resources: { cpu: 1 } }));
  await eventually('it runs', async () =>
    (await platform.read(one)).tasks[0]?.status === 'running' ? true : undefined,
  );
  const two = await platform.submit(noopHold(file, { resources: { cpu: 1 } }));
  await eventually('it waits', async () =>
    (await platform.read(two)).tasks[0]?.status === 'queued' ? true : undefined,
  );
  await platform.worker({ workerId: 'idle', env: { LATTICE_CPUS: '1' } });
  await eventually('the idle one takes it', async () =>
    (await platform.read(two)).tasks[0]?.workerId === 'idle' ? true : undefined,
  );
  writeFileSync(file, '');
});

test('a big need is not starved by a stream of small ones', async () => {
  await platform.worker({ env: { LATTICE_CPUS: '2' } });
  const small = () =>
    platform.submit({
      name: 'small',
      tasks: Object.fromEntries(
        Array.from({ length: 20 }, (_, n) => [
          `t${n}`,
          { uses: 'handler/sleep', with: { ms: 60 + n }, resources: { cpu: 1 } },
        ]),
      ),
    });
  let over = false;
  const stream = (async () => {
    const all: string[] = [];
    while (!over) {
      const next = await small();
      all.push(next);
      await eventually('some of it has run', async () =>
        over || (await platform.read(next)).tasks.filter(({ status }) => status === 'completed').length > 10
          ? true
          : undefined,
      );
    }
    return all;
  })();
  await eventually('small ones run', async () => ((await readWorkers(platform.engine))[0]?.running ? true : undefined));
  const big = await platform.submit({ name: 'big', tasks: { t: { uses: 'handler/noop', resources: { cpu: 2 } } } });
  expect((await platform.wait(big, 15_000)).status).toBe('completed');
  over = true;
  for (const runId of await stream) expect((await platform.wait(runId)).status).toBe('completed');
});

test('a task that waits says for what', async () => {
  await Promise.all([labelled('a', 'gpu.model=t4'), labelled('b', 'gpu.model=t4')]);
  const runId = await platform.submit(noop({ runsOn: { 'gpu.model': 'a100' } }));
  const reason = await eventually('the reason', async () => (await platform.read(runId)).tasks[0]?.reason ?? undefined);
  expect(reason).toBe('no worker has gpu.model=a100; 2 online workers have t4');
});
