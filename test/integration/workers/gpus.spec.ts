import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWorkers } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { fakeGpus, gpuLine, type FakeGpus } from '../../support/fake-gpus';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
let gpus: FakeGpus;
beforeEach(async () => {
  platform = await TestPlatform.open({ LATTICE_LOCK: '3s' });
  await platform.scheduler();
  gpus = fakeGpus(platform.folder, [gpuLine(0), gpuLine(1)]);
});
afterEach(() => platform.close());

const code = (source: string, gpu?: number) => ({
  uses: 'code',
  with: { language: 'javascript', source, input: null },
  resources: gpu === undefined ? { cpu: 0 } : { cpu: 0, gpu },
});
const VISIBLE = 'export default () => process.env.CUDA_VISIBLE_DEVICES ?? null';
/** Tells which GPUs it has, and holds them until the file is there. */
const holding = (file: string) =>
  `import { existsSync, appendFileSync } from 'node:fs';
   export default async () => {
     const gpus = process.env.CUDA_VISIBLE_DEVICES;
     appendFileSync(${JSON.stringify(`${file}.log`)}, 'start ' + process.pid + ' ' + gpus + '\\n');
     while (!existsSync(${JSON.stringify(file)})) await new Promise((r) => setTimeout(r, 20));
     appendFileSync(${JSON.stringify(`${file}.log`)}, 'end ' + process.pid + ' ' + gpus + '\\n');
     return gpus;
   }`;
const linesOf = (file: string): string[] => {
  try {
    return readFileSync(`${file}.log`, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
};
const worker = (workerId: string, env: NodeJS.ProcessEnv = {}) =>
  platform.spawn({ kind: 'worker', workerId, env: { ...gpus.env, ...env } });
const outputs = async (runId: string) =>
  Object.fromEntries((await platform.wait(runId)).tasks.map(({ key, output }) => [key, output]));

test('a worker tells of its GPUs, and a task sees those it asked for and no others', async () => {
  await worker('one');
  const [view] = await readWorkers(platform.engine);
  expect(view).toMatchObject({
    resources: { gpu: 2 },
    labels: { 'gpu.model': 't4', 'gpu.count': 2, 'gpu.memory': 15 },
    gpus: [{ uuid: 'GPU-fake-0', healthy: true, holders: [] }, { uuid: 'GPU-fake-1' }],
    versions: { driver: '550.54.15' },
  });
  const tasks = { none: code(VISIBLE), one: code(VISIBLE, 1), both: code(VISIBLE, 2) };
  const seen = await outputs(await platform.submit({ name: 'see', tasks }));
  expect(seen['none']).toBe('');
  expect(gpus.uuids).toContain(seen['one']);
  expect(seen['both']).toBe('GPU-fake-0,GPU-fake-1');
});

test('a task sees no GPU where the worker is not to use those of its machine', async () => {
  await Promise.all([worker('none', { LATTICE_GPUS: 'none' }), worker('others', { LATTICE_GPUS: 'GPU-elsewhere' })]);
  const on = (workerId: string) => ({ ...code(VISIBLE), runsOn: { 'worker.id': workerId } });
  const runId = await platform.submit({ name: 'hidden', tasks: { none: on('none'), others: on('others') } });
  expect(await outputs(runId)).toEqual({ none: '', others: '' });
});

test('exclusive GPUs have one holder each, over all workers of the host; who holds them is shown', async () => {
  const file = join(platform.folder, 'go');
  await Promise.all([worker('one'), worker('two')]);
  const tasks = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, code(holding(file), 1)]));
  const runId = await platform.submit({ name: 'hold', tasks });
  await eventually('two run', () => (linesOf(file).length === 2 ? true : undefined));
  const shown = await eventually('the holders are shown', async () => {
    const holders = (await readWorkers(platform.engine)).flatMap((view) =>
      view.gpus.flatMap(({ holders }) => holders.map(({ workerId, taskKey }) => `${workerId} ${taskKey ?? ''}`)),
    );
    // Both workers show the GPUs of their host.
    return holders.length === 4 ? holders : undefined;
  });
  expect(new Set(shown).size).toBe(2);
  writeFileSync(file, '');
  await platform.wait(runId);
  const open = new Set<string>();
  for (const line of linesOf(file)) {
    const [what, , uuid = ''] = line.split(' ');
    if (what === 'end') open.delete(uuid);
    else {
      expect(open.has(uuid)).toBe(false);
      open.add(uuid);
    }
  }
  expect(linesOf(file).length).toBe(8);
});

test('shares pack one GPU, so that the other stays free for who needs it whole', async () => {
  const file = join(platform.folder, 'go');
  await worker('one');
  const tasks = { a: code(holding(file), 0.5), b: code(holding(file), 0.5), whole: code(holding(file), 1) };
  const runId = await platform.submit({ name: 'pack', tasks });
  await eventually('all run at once', () => (linesOf(file).length === 3 ? true : undefined));
  writeFileSync(file, '');
  const seen = await outputs(runId);
  expect(seen['a']).toBe(seen['b']);
  expect(seen['whole']).not.toBe(seen['a']);
});

test('E3: after kill -9 of a worker its GPU is leased again only when its task is gone, with a higher token', async () => {
  const file = join(platform.folder, 'go');
  const first = await worker('one', { LATTICE_GPUS: 'GPU-fake-0' });
  const source = `${holding(file)}\n`;
  const runId = await platform.submit({ name: 'killed', tasks: { t: code(source, 1) } });
  await eventually('it runs', () => (linesOf(file).length === 1 ? true : undefined));
  await worker('two', { LATTICE_GPUS: 'GPU-fake-0' });
  first.kill('SIGKILL');
  await eventually('it runs again', () => (linesOf(file).length === 2 ? true : undefined), 20_000);
  const [old = 0, fresh] = linesOf(file).map((line) => Number(line.split(' ')[1]));
  expect(fresh).not.toBe(old);
  expect(() => process.kill(old, 0)).toThrow();
  writeFileSync(file, '');
  const run = await platform.wait(runId);
  expect(run.tasks).toMatchObject([{ status: 'completed', workerId: 'two', attempts: 2, output: 'GPU-fake-0' }]);
});

test('a GPU that fails gets no tasks until it is well; the other goes on', async () => {
  await worker('one');
  gpus.say(`${gpuLine(0).replace('15360', '[GPU is lost]')}\n${gpuLine(1)}\n`);
  await eventually('it is drained', async () => {
    const [view] = await readWorkers(platform.engine);
    return view?.gpus.some(({ healthy }) => !healthy) === true ? true : undefined;
  });
  const tasks = { a: code(VISIBLE, 1), b: code(VISIBLE, 1) };
  expect(await outputs(await platform.submit({ name: 'lost', tasks }))).toEqual({ a: 'GPU-fake-1', b: 'GPU-fake-1' });
  const both = await platform.submit({ name: 'both', tasks: { t: code(VISIBLE, 2) } });
  await eventually('it waits, with the reason', async () => {
    const [task] = (await platform.read(both)).tasks;
    return task?.reason?.includes('GPU') === true ? task.reason : undefined;
  });
  gpus.say(`${gpuLine(0)}\n${gpuLine(1)}\n`);
  expect(await outputs(both)).toEqual({ t: 'GPU-fake-0,GPU-fake-1' });
});

test.each([
  ['by itself', {}],
  ['in a batch', { batch: { size: 1, timeout: '1ms' } }],
])('a handler that goes on after its time, %s, has its GPU until it ends', async (_, more) => {
  const file = join(platform.folder, 'go');
  await worker('one', { LATTICE_GPUS: 'GPU-fake-0', LATTICE_GRACE: '50ms' });
  const task = { uses: 'handler/deaf', with: { input: { file } }, resources: { gpu: 1 }, ...more };
  const first = await platform.run({ name: 'first', tasks: { t: { ...task, timeout: '200ms' } } });
  expect(first.tasks[0]?.error?.code).toBe('timeout');
  const next = await platform.submit({ name: 'next', tasks: { t: task } });
  await platform.run({ name: 'other', tasks: { t: { uses: 'handler/noop' } } });
  await eventually('its lease is shown, without a task', async () => {
    const [view] = await readWorkers(platform.engine);
    const [held] = view?.gpus[0]?.holders ?? [];
    return view?.running === 0 && held !== undefined && held.taskKey === undefined ? true : undefined;
  });
  expect(linesOf(file)).toEqual(['start']);
  writeFileSync(file, '');
  expect((await platform.wait(next)).status).toBe('completed');
  expect(linesOf(file)).toEqual(['start', 'end', 'start', 'end']);
});
