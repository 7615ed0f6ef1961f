import { clearCache } from '@lattice/engine';
import { purgeCached } from '@lattice/persistence';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ workers: 2 });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const inputs = { value: { type: 'any' }, other: { type: 'any' } };
/** Its work leaves a line in the ledger, and gives the value. */
const work = (name: string, cache: object, extra: object = {}) => ({
  name,
  inputs,
  tasks: {
    a: { uses: 'handler/note', with: { run: name, task: 'a', value: '${{ inputs.value }}' }, cache, ...extra },
    b: { uses: 'handler/echo', with: { of: '${{ tasks.a.output }}' } },
  },
  outputs: { b: '${{ tasks.b.output.of }}' },
});
const done = (name: string) => readLedger(platform.ledger).filter(({ run }) => run === name).length;
const run = (document: Record<string, unknown>, value: unknown, other: unknown = null) =>
  platform.run(document, { inputs: { value, other } });

test('D4: a hit is shown as a hit, with the run that did the work; another input is a miss', async () => {
  const document = work('hits', { ttl: '1h' });
  const first = await run(document, { deep: [1, 'x'] });
  const second = await run(document, { deep: [1, 'x'] });
  expect(done('hits')).toBe(1);
  expect(second.outputs).toEqual(first.outputs);
  expect([first.tasks[0]?.cached, second.tasks[0]?.cached, second.tasks[1]?.cached]).toEqual([false, true, false]);
  const events = await platform.events(second.runId);
  expect(faultsOfHistory(second, events)).toEqual([]);
  expect(events.find(({ type, taskKey }) => type === 'task.completed' && taskKey === 'a')?.data).toEqual({
    output: { deep: [1, 'x'] },
    cached: true,
    cachedFrom: first.runId,
  });
  await run(document, { deep: [1, 'y'] });
  expect(done('hits')).toBe(2);
});

test('the key alone says what is asked, where there is one', async () => {
  const document = work('keyed', { key: '${{ inputs.other }}' });
  await run(document, 1, 'k');
  expect((await run(document, 2, 'k')).outputs).toEqual({ b: 1 });
  expect((await run(document, 2, 'l')).outputs).toEqual({ b: 2 });
  // Another workflow has results of its own.
  expect((await run({ ...document, name: 'keyed-too' }, 3, 'k')).outputs).toEqual({ b: 3 });
});

test('large outputs are kept as well', async () => {
  const document = work('large', {});
  const value = 'x'.repeat(200_000);
  await run(document, value);
  const second = await run(document, value);
  expect(second.tasks[0]).toMatchObject({ cached: true, output: value });
  expect(second.outputs).toEqual({ b: value });
  expect(done('large')).toBe(1);
});

test('what fails is not kept', async () => {
  const document = {
    name: 'failing',
    tasks: { a: { uses: 'handler/fail', with: { times: 1 }, cache: {} } },
  };
  expect((await platform.run(document)).status).toBe('failed');
  expect((await platform.run(document)).tasks[0]).toMatchObject({ status: 'failed', cached: false });
});

test('a result is used while its time lasts, and forgotten when asked to', async () => {
  const document = work('aging', { ttl: '1h' });
  await run(document, 1);
  await platform.engine.db.query("update task_cache set expires_at = now() - interval '1 ms' where workflow = 'aging'");
  await run(document, 1);
  expect(done('aging')).toBe(2);
  expect(await clearCache(platform.engine, { workflow: 'aging', task: 'b' })).toEqual({ cleared: 0 });
  expect(await clearCache(platform.engine, { workflow: 'aging' })).toEqual({ cleared: 1 });
  await run(document, 1);
  expect(done('aging')).toBe(3);
  await platform.engine.db.query('update task_cache set expires_at = now()');
  await purgeCached(platform.engine.db);
  expect(await clearCache(platform.engine, {})).toEqual({ cleared: 0 });
});

test('a reference in the key is a dependency; a key that fails fails the task', async () => {
  const document = {
    name: 'referring',
    tasks: {
      first: { uses: 'handler/echo', with: { id: 7 } },
      second: { uses: 'handler/noop', cache: { key: '${{ tasks.first.output.id }}' } },
      third: { uses: 'handler/noop', cache: { key: '${{ tasks.first.output.none }}' } },
    },
  };
  const ended = await platform.run({ ...document, onFailure: 'continue' });
  expect(ended.tasks.map(({ status }) => status)).toEqual(['completed', 'completed', 'failed']);
  expect(ended.tasks[2]?.error?.code).toBe('expression_failed');
});
