import { LatticeError } from '@lattice/contracts';
import { bubblewrapWorks } from '../../../libs/executor/test/support';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
afterEach(() => platform.close());

const source = 'export default () => 1';
const workflow = (sandbox?: string) => ({
  name: 'levels',
  tasks: {
    a: { uses: 'code', ...(sandbox === undefined ? {} : { sandbox }), with: { language: 'javascript', source } },
  },
});

async function levelOf(runId: string): Promise<unknown> {
  const events = await platform.events(runId);
  return events.find(({ type }) => type === 'task.started')?.data['level'];
}

const withBubblewrap = bubblewrapWorks() ? test : test.skip;

withBubblewrap('the level asked for is the level used, and history says so', async () => {
  platform = await TestPlatform.running();
  for (const level of ['none', 'subprocess', 'seccomp']) {
    const run = await platform.run(workflow(level));
    expect([run.status, run.error]).toEqual(['completed', null]);
    expect(await levelOf(run.runId)).toBe(level);
  }
});

test('without the means for a level its tasks fail, at that level', async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await platform.worker();
  } finally {
    process.env['PATH'] = path;
  }
  const run = await platform.run(workflow('seccomp'));
  expect(run).toMatchObject({ status: 'failed', error: { code: 'sandbox_failed' } });
  expect(run.tasks[0]?.error?.message).toContain('apt-get install bubblewrap');
  expect(await levelOf(run.runId)).toBe('seccomp');
});

test('a server with a minimum refuses a run that asks for less, and its worker does, too', async () => {
  platform = await TestPlatform.open({ LATTICE_SANDBOX_MIN: 'seccomp' });
  const refused = await platform.submit(workflow('subprocess')).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LatticeError);
  expect(refused).toMatchObject({
    code: 'invalid_document',
    faults: [{ code: 'bad_value', pointer: '/workflow/tasks/a/sandbox' }],
  });
  await platform.close();

  platform = await TestPlatform.open();
  await platform.scheduler();
  await platform.worker({ env: { LATTICE_SANDBOX_MIN: 'seccomp' } });
  const run = await platform.run(workflow('subprocess'));
  expect(run.tasks[0]?.error).toMatchObject({ code: 'sandbox_failed' });
  expect(run.tasks[0]?.error?.message).toContain('LATTICE_SANDBOX_MIN');
});
