import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalRun } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeEach(async () => {
  platform = await TestPlatform.open({ LATTICE_INLINE_OUTPUT: '100Ki', LATTICE_WARM: '0' });
  await platform.scheduler();
  await platform.worker();
});
afterEach(() => platform.close());

/** What `make` gives is read after the signal: in a body, in a condition, and in the outputs of the run. */
const document = (characters: number) => ({
  name: 'gone',
  onFailure: 'continue',
  tasks: {
    make: {
      uses: 'code',
      with: { language: 'javascript', source: `export default () => "x".repeat(${characters})` },
    },
    go: { uses: 'wait', with: { signal: 'go' }, needs: 'make' },
    reads: { uses: 'handler/echo', with: { input: '${{ tasks.make.output }}' }, needs: 'go' },
    asks: { uses: 'handler/echo', needs: 'go', if: '${{ size(tasks.make.output) > 1 }}' },
    computes: { uses: 'transform', with: '${{ size(tasks.make.output) }}', needs: 'go' },
    goesOn: { uses: 'handler/echo', needs: 'go', with: { input: 1 } },
  },
  outputs: { made: '${{ tasks.make.output }}' },
});

function objects(): string[] {
  const folder = join(platform.folder, 'artifacts');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.store')
    .map((entry) => join(entry.parentPath, entry.name));
}

test.each([
  ['the row in Postgres is gone', 90_000, () => platform.engine.db.query('delete from outputs')],
  ['the file in the store is gone', 200_000, () => Promise.resolve(objects().forEach((file) => rmSync(file)))],
  ['the file was cut', 200_000, () => Promise.resolve(objects().forEach((file) => writeFileSync(file, '"xx')))],
])('when %s, those who read the output fail and say so, and the run ends', async (_, characters, harm) => {
  const runId = await platform.submit(document(characters));
  await eventually('make is done', async () => {
    const { tasks } = await platform.read(runId);
    return tasks.find(({ key }) => key === 'make')?.status === 'completed' || undefined;
  });
  await harm();
  await signalRun(platform.engine, { runId, name: 'go', payload: null, sender: 'test' });
  const run = await platform.wait(runId);
  const of = (key: string) => run.tasks.find((task) => task.key === key);
  for (const key of ['reads', 'asks', 'computes'])
    expect(of(key)).toMatchObject({ status: 'failed', error: { code: 'output_gone', retryable: false } });
  expect(of('reads')?.error?.message).toContain(`the output of task "make" of run ${runId}, attempt 1,`);
  expect(of('goesOn')).toMatchObject({ status: 'completed', output: 1 });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'output_gone' } });
});
