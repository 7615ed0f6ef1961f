import { readWorkers, requestWorkerOrder } from '@lattice/engine';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeEach(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
});
afterEach(() => platform.close());

const hold = (file: string) => ({ name: 'hold', tasks: { t: { uses: 'handler/hold', with: { file } } } });
const noop = { name: 'noop', tasks: { t: { uses: 'handler/noop' } } };
const becomes = (workerId: string, status: string) =>
  eventually(`${workerId} is ${status}`, async () =>
    (await readWorkers(platform.engine)).some((worker) => worker.workerId === workerId && worker.status === status)
      ? true
      : undefined,
  );
const workerOf = async (runId: string) => (await platform.wait(runId)).tasks[0]?.workerId;

test('a worker tells what it has and how it is', async () => {
  await platform.worker({ workerId: 'one', env: { LATTICE_LABELS: 'zone=a', LATTICE_CPUS: '3' } });
  await becomes('one', 'online');
  const [worker] = await readWorkers(platform.engine);
  expect(worker).toMatchObject({
    labels: { zone: 'a', 'worker.id': 'one', os: process.platform, arch: process.arch },
    resources: { cpu: 3, gpu: 0 },
    free: { cpu: 3, slots: 100 },
    versions: { node: process.versions.node },
  });
});

test('a drained worker ends what it has, takes nothing more, and comes back when told', async () => {
  const file = join(platform.folder, 'go');
  await platform.worker({ workerId: 'one' });
  const held = await platform.submit(hold(file));
  await eventually('it runs', async () =>
    (await platform.read(held)).tasks[0]?.status === 'running' ? true : undefined,
  );
  await requestWorkerOrder(platform.engine, 'one', 'drain');
  await becomes('one', 'draining');
  const next = await platform.submit(noop);
  await eventually('it waits', async () =>
    (await platform.read(next)).tasks[0]?.status === 'queued' ? true : undefined,
  );
  await platform.worker({ workerId: 'two' });
  expect(await workerOf(next)).toBe('two');
  writeFileSync(file, '');
  expect(await workerOf(held)).toBe('one');
  await becomes('one', 'drained');
  await requestWorkerOrder(platform.engine, 'two', 'cordon');
  await becomes('two', 'cordoned');
  await requestWorkerOrder(platform.engine, 'one', 'uncordon');
  await becomes('one', 'online');
  expect(await workerOf(await platform.submit(noop))).toBe('one');
});

test('a drain ends with the process that it was for, also when that is killed', async () => {
  const first = await platform.spawn({ kind: 'worker', workerId: 'one' });
  await requestWorkerOrder(platform.engine, 'one', 'drain', { exit: false });
  await becomes('one', 'drained');
  first.kill('SIGKILL');
  await first.ended;
  await platform.worker({ workerId: 'one' });
  expect(await workerOf(await platform.submit(noop))).toBe('one');
  await requestWorkerOrder(platform.engine, 'one', 'drain');
  await becomes('one', 'drained');
});

test('what a drain finds running after its time goes to another worker', async () => {
  const file = join(platform.folder, 'go');
  await platform.worker({ workerId: 'one' });
  const held = await platform.submit(hold(file));
  await eventually('it runs', async () =>
    (await platform.read(held)).tasks[0]?.status === 'running' ? true : undefined,
  );
  await requestWorkerOrder(platform.engine, 'one', 'drain', { exit: false, timeout: '100ms' });
  await becomes('one', 'drained');
  await platform.worker({ workerId: 'two' });
  writeFileSync(file, '');
  expect(await workerOf(held)).toBe('two');
});

test('an order survives a Redis that has forgotten it', async () => {
  const { engine } = platform;
  await platform.worker({ workerId: 'one' });
  await requestWorkerOrder(engine, 'one', 'cordon');
  await becomes('one', 'cordoned');
  await engine.queue.redis.del(engine.queue.keys.workerOrder('one'));
  await engine.queue.bus.publish('control', JSON.stringify({ order: 'one' }));
  await eventually('it is there again', async () =>
    (await engine.queue.redis.exists(engine.queue.keys.workerOrder('one'))) === 1 ? true : undefined,
  );
  await becomes('one', 'cordoned');
});
