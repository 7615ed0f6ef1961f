import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunView } from '@lattice/contracts';
import { flushBatches, readBatches, readWorkers, requestCancel, requestWorkerOrder } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeEach(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
});
afterEach(() => platform.close());

interface Asked {
  size?: number;
  timeout?: string;
  key?: string;
}
/** One task whose handler doubles numbers in batches, and notes each call. */
const doubling = (batch: Asked, more: Record<string, unknown> = {}) => ({
  name: 'double',
  inputs: { n: { type: 'any' }, group: { type: 'string', default: '' } },
  tasks: {
    t: {
      uses: 'handler/double',
      with: { input: '${{ inputs.n }}' },
      batch: { size: 4, timeout: '200ms', ...batch },
      ...more,
    },
  },
});
const submitAll = (batch: Asked, inputs: readonly Record<string, unknown>[], more: Record<string, unknown> = {}) =>
  Promise.all(inputs.map((each) => platform.submit(doubling(batch, more), { inputs: each })));
const endAll = (ids: readonly string[]): Promise<RunView[]> => Promise.all(ids.map((id) => platform.wait(id)));
/** The calls of the handler: what each was given. */
const calls = (): { inputs: unknown[]; key: string; gpus: number }[] => {
  try {
    const lines = readFileSync(platform.ledger, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as { inputs: unknown[]; key: string; gpus: number });
  } catch {
    return [];
  }
};
const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const outputOf = (run: RunView | undefined) => run?.tasks[0]?.output;

test('LT-T8: tasks of one key, over different runs, come together until there are enough', async () => {
  await platform.worker();
  const runs = await endAll(await submitAll({ timeout: '10s' }, numbers(4)));
  expect(runs.map(outputOf)).toEqual([0, 2, 4, 6]);
  expect(calls().length).toBe(1);
});

test('LT-T8: those of different keys do not; the key is an expression', async () => {
  await platform.worker();
  const inputs = numbers(8).map(({ n }) => ({ n, group: n % 2 === 0 ? 'even' : 'odd' }));
  const runs = await endAll(await submitAll({ key: '${{ inputs.group }}', timeout: '10s' }, inputs));
  expect(runs.map(outputOf)).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
  expect(new Set(calls().map(({ key }) => key))).toEqual(new Set(['even', 'odd']));
  expect(calls().length).toBeLessThan(6);
  for (const call of calls()) expect(new Set(call.inputs.map((n) => Number(n) % 2)).size).toBe(1);
});

test('LT-T8: a batch that is not full goes when its time is over', async () => {
  await platform.worker();
  const runs = await endAll(await submitAll({ timeout: '150ms' }, numbers(3)));
  expect(runs.map(outputOf)).toEqual([0, 2, 4]);
  expect(calls().flatMap(({ inputs }) => inputs).length).toBe(3);
});

test('LT-T9: a batch never has more members than its size, however many wait', async () => {
  await Promise.all([platform.worker(), platform.worker()]);
  const runs = await endAll(await submitAll({ size: 3, timeout: '50ms' }, numbers(50)));
  expect(runs.map(outputOf)).toEqual(numbers(50).map(({ n }) => 2 * n));
  expect(Math.max(...calls().map(({ inputs }) => inputs.length))).toBe(3);
  expect(calls().flatMap(({ inputs }) => inputs).length).toBe(50);
});

test('LT-T10: each member gets its own result, and its own failure', async () => {
  await platform.worker();
  const inputs = [{ n: 1 }, { n: 'bad' }, { n: null }, { n: 4 }];
  const [one, bad, none, four] = await endAll(await submitAll({ timeout: '10s' }, inputs));
  expect([outputOf(one), outputOf(none), outputOf(four)]).toEqual([2, null, 8]);
  expect(bad?.tasks[0]?.error).toMatchObject({ code: 'task_failed', message: 'bad is no number' });
  expect(calls().length).toBe(1);
});

test('LT-T11: an answer of another length is an error of all, not nulls', async () => {
  await platform.worker();
  const runs = await endAll(await submitAll({ timeout: '10s' }, [{ n: 1 }, { n: 'short' }, { n: 3 }, { n: 4 }]));
  for (const run of runs) {
    expect(run.status).toBe('failed');
    expect(run.tasks[0]?.error).toMatchObject({
      code: 'batch_mismatch',
      message: 'the handler got a batch of 4 inputs and returned a list of 3',
    });
  }
});

test('LT-T12: a batch that fails is split into the retries of its members, who are then done alone', async () => {
  await platform.worker();
  const retry = { maxAttempts: 2, initialDelay: '10ms' };
  const ids = await submitAll({ timeout: '10s' }, [{ n: 1 }, { n: 'throw' }, { n: 3 }, { n: 4 }], { retry });
  const runs = await endAll(ids);
  expect(runs.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed', 'completed']);
  expect(runs.map(({ tasks }) => tasks[0]?.attempts)).toEqual([2, 2, 2, 2]);
  expect([0, 2, 3].map((at) => outputOf(runs[at]))).toEqual([2, 6, 8]);
  expect(calls().map(({ inputs }) => inputs.length)).toEqual([4, 1, 1, 1, 1]);
});

test('LT-T13: a timeout of 0 means: do not wait', async () => {
  await platform.worker();
  const [run] = await endAll(await submitAll({ size: 100, timeout: '0ms' }, numbers(1)));
  expect(outputOf(run)).toBe(0);
  const runs = await endAll(await submitAll({ size: 100, timeout: '0ms' }, numbers(20)));
  expect(runs.map(outputOf)).toEqual(numbers(20).map(({ n }) => 2 * n));
});

test('LT-T7: a batch takes what it needs once, and gives it back once', async () => {
  await platform.worker({ workerId: 'one', env: { LATTICE_CPUS: '2', LATTICE_CONCURRENCY: '5' } });
  const more = { resources: { cpu: 2, memory: '1Mi' } };
  await endAll(await submitAll({ timeout: '100ms', size: 3 }, numbers(20), more));
  const seen = await eventually('all of it is free again', async () => {
    const [view] = await readWorkers(platform.engine);
    return view?.running === 0 && view.free.slots === 5 ? view : undefined;
  });
  expect(seen.free).toMatchObject({ cpu: 2, slots: 5, memory: seen.resources.memory });
});

test('pending members are counted, and a flush calls the handler for them', async () => {
  await platform.worker();
  const ids = await submitAll({ timeout: '10m', key: 'k' }, numbers(3));
  const [batch] = await eventually('they wait', async () => {
    const found = await readBatches(platform.engine);
    return found[0]?.pending === 3 ? found : undefined;
  });
  expect(batch).toMatchObject({ handler: 'double', key: 'k', pending: 3, size: 4 });
  expect(calls()).toEqual([]);
  await flushBatches(platform.engine, { handler: 'other' });
  await flushBatches(platform.engine, { handler: 'double', key: 'k' });
  expect((await endAll(ids)).map(outputOf)).toEqual([0, 2, 4]);
  expect(
    await eventually('none waits', async () => ((await readBatches(platform.engine)).length === 0 ? true : undefined)),
  ).toBe(true);
});

test('a worker that takes no more tasks does not wait for more members', async () => {
  await platform.worker({ workerId: 'one' });
  const ids = await submitAll({ timeout: '10m' }, numbers(2));
  await eventually('they wait', async () =>
    (await readBatches(platform.engine))[0]?.pending === 2 ? true : undefined,
  );
  await requestWorkerOrder(platform.engine, 'one', 'drain');
  expect((await endAll(ids)).map(outputOf)).toEqual([0, 2]);
});

test('nor does one that is on its way to its batch when the worker is told so', async () => {
  const race = async (point: string): Promise<void> => {
    if (point !== 'after-begin') return;
    await requestWorkerOrder(platform.engine, 'one', 'drain');
    await eventually('it drains', async () =>
      (await readWorkers(platform.engine))[0]?.status === 'draining' ? true : undefined,
    );
  };
  await platform.worker({ workerId: 'one', race });
  expect((await endAll(await submitAll({ timeout: '10m' }, numbers(1)))).map(outputOf)).toEqual([0]);
});

test('a member that comes when its batch is on waits: what the batch took is used once', async () => {
  const file = join(platform.folder, 'go');
  const notes = (): string[] =>
    existsSync(`${file}.log`) ? readFileSync(`${file}.log`, 'utf8').trim().split('\n') : [];
  let begun = 0;
  const race = async (point: string): Promise<void> => {
    if (point !== 'after-begin') return;
    begun += 1;
    if (begun === 2) await eventually('the other is called', () => (notes().length > 0 ? true : undefined));
  };
  await platform.worker({ env: { LATTICE_CONCURRENCY: '1' }, race });
  const task = { uses: 'handler/deaf', with: { input: { file } }, batch: { size: 2, timeout: '300ms' } };
  const runId = await platform.submit({ name: 'late', tasks: { a: task, b: task } });
  await eventually('both are begun', async () =>
    (await platform.read(runId)).tasks.every(({ status }) => status === 'running') && notes().length > 0
      ? true
      : undefined,
  );
  writeFileSync(file, '');
  expect((await platform.wait(runId)).status).toBe('completed');
  expect(notes()).toEqual(['start', 'end', 'start', 'end']);
});

test('a member that is cancelled, or too slow, leaves the others alone', async () => {
  await platform.worker();
  const [gone = '', ...rest] = await submitAll({ timeout: '10m' }, numbers(3));
  await eventually('they are taken', async () =>
    (await readBatches(platform.engine))[0]?.pending === 3 ? true : undefined,
  );
  await requestCancel(platform.engine, gone, 'test');
  expect((await platform.wait(gone)).status).toBe('cancelled');
  await flushBatches(platform.engine, { handler: 'double' });
  expect((await endAll(rest)).map(outputOf)).toEqual([2, 4]);
  expect(calls().map(({ inputs }) => [...inputs].sort())).toEqual([[1, 2]]);
  const slow = await submitAll({ size: 1 }, [{ n: 'hang' }], { timeout: '200ms' });
  expect((await endAll(slow))[0]?.tasks[0]?.error?.code).toBe('timeout');
});

test('a member is silent for too long only from the call on', async () => {
  await platform.worker();
  const more = { heartbeat: '200ms' };
  const [waited] = await endAll(await submitAll({ timeout: '700ms' }, numbers(1), more));
  expect(outputOf(waited)).toBe(0);
  const [silent] = await endAll(await submitAll({ size: 1 }, [{ n: 'hang' }], more));
  expect(silent?.tasks[0]?.error?.code).toBe('heartbeat_timeout');
});

test('results that are kept are taken over by members, who then come into no call', async () => {
  await platform.worker();
  const more = { cache: { ttl: '1h' } };
  await endAll(await submitAll({ size: 3, timeout: '10s' }, numbers(3), more));
  const runs = await endAll(await submitAll({ size: 3, timeout: '10s' }, numbers(3), more));
  expect(runs.map((run) => [outputOf(run), run.tasks[0]?.cached])).toEqual([
    [0, true],
    [2, true],
    [4, true],
  ]);
  const mixed = await endAll(await submitAll({ size: 3, timeout: '100ms' }, [{ n: 2 }, { n: 7 }], more));
  expect(mixed.map((run) => [outputOf(run), run.tasks[0]?.cached])).toEqual([
    [4, true],
    [14, false],
  ]);
  expect(calls().map(({ inputs }) => [...inputs].sort())).toEqual([[0, 1, 2], [7]]);
});

test('rules of the document put tasks into batches by their keys', async () => {
  await platform.worker();
  const task = (n: number) => ({ uses: 'handler/double', with: { input: n } });
  const run = await platform.run({
    name: 'rules',
    defaults: {
      batch: [
        { exact: 'embed_x', size: 1 },
        { prefix: 'embed_', size: 2, timeout: '10s' },
        { regex: '^sum\\d+$', size: 2, timeout: '10s' },
      ],
    },
    tasks: {
      embed_x: task(1),
      embed_a: task(2),
      embed_b: task(3),
      sum1: task(4),
      sum2: task(5),
      other: { uses: 'handler/noop' },
    },
  });
  expect(run.status).toBe('completed');
  expect(
    calls()
      .map(({ inputs }) => inputs.length)
      .sort(),
  ).toEqual([1, 2, 2]);
});
