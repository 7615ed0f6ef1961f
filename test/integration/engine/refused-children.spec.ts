import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestFork, saveDocument } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
  await platform.scheduler();
  await platform.worker();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const starting = (extra: object = {}) => ({ name: 'starting', tasks: { sub: { uses: 'workflow/single', ...extra } } });
const started = async () =>
  (await platform.engine.db.query("select status from runs where workflow = 'single' order by id")).map(
    (row) => row['status'],
  );

test('reject: a task that starts one run too many fails, stores nothing, and is tried again if its policy says so', async () => {
  const file = join(platform.folder, 'go');
  const concurrency = { limit: 1, policy: 'reject' };
  const document = { name: 'single', concurrency, tasks: { t: { uses: 'handler/hold', with: { file } } } };
  await saveDocument(platform.engine, readDocument(document));
  const first = await platform.submit(starting());
  await eventually('it runs', async () => ((await started()).includes('running') ? true : undefined));
  const refused = await platform.run(starting());
  expect(refused).toMatchObject({
    status: 'failed',
    error: { code: 'concurrency_limit' },
    tasks: [{ status: 'failed', attempts: 1, error: { code: 'concurrency_limit', retryable: true } }],
  });
  expect(await started()).toEqual(['running']);
  const patient = await platform.submit(
    starting({ retry: { maxAttempts: 100, initialDelay: '200ms', factor: 1, jitter: false } }),
  );
  await eventually('it was refused twice', async () => {
    const [task] = (await platform.read(patient)).tasks;
    return (task?.attempts ?? 0) > 2 ? true : undefined;
  });
  expect(await started()).toEqual(['running']);
  writeFileSync(file, '');
  expect((await platform.wait(first)).status).toBe('completed');
  expect((await platform.wait(patient)).status).toBe('completed');
  expect(await started()).toEqual(['completed', 'completed']);
});

test('reject: of many tasks that start runs at once as many get in as the limit says', async () => {
  const file = join(platform.folder, 'wide');
  const concurrency = { limit: 3, policy: 'reject' };
  const document = { name: 'wide', concurrency, tasks: { t: { uses: 'handler/hold', with: { file } } } };
  await saveDocument(platform.engine, readDocument(document));
  const each = Array.from({ length: 12 }, (_, n) => n);
  const runId = await platform.submit({
    name: 'many',
    tasks: {
      each: {
        uses: 'map',
        with: { over: each, concurrency: 12, onFailure: 'continue', do: { uses: 'workflow/wide' } },
      },
    },
    outputs: { each: '${{ tasks.each.output }}' },
  });
  await eventually('nine were refused', async () => {
    const rows = await platform.engine.db.query('select 1 from runs where parent_run_id = $1 and status = $2', [
      runId,
      'failed',
    ]);
    return rows.length === 9 ? true : undefined;
  });
  writeFileSync(file, '');
  const run = await platform.wait(runId);
  expect(run.status).toBe('completed');
  const rows = await platform.engine.db.query("select status from runs where workflow = 'wide'");
  expect(rows.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
});

test('a task fails that starts a run of whose inputs a limit can make no key; such a fork is refused', async () => {
  const document = {
    name: 'keyed',
    inputs: { user: { type: 'object', default: { team: 'a' } } },
    concurrency: { key: '${{ inputs.user.team }}', limit: 1 },
    tasks: { t: { uses: 'handler/echo' } },
  };
  await saveDocument(platform.engine, readDocument(document));
  const run = await platform.run({ name: 'starts', tasks: { sub: { uses: 'workflow/keyed', with: { user: {} } } } });
  expect(run).toMatchObject({ status: 'failed', tasks: [{ status: 'failed', error: { code: 'invalid_inputs' } }] });
  const source = await platform.submit(document);
  expect((await platform.wait(source)).status).toBe('completed');
  const fork = { runId: source, from: ['t'], inputs: { user: {} }, apiKeyId: '00000000-0000-0000-0000-000000000000' };
  await expect(requestFork(platform.engine, fork)).rejects.toMatchObject({
    code: 'invalid_inputs',
    faults: [{ pointer: '/inputs' }],
  });
});
