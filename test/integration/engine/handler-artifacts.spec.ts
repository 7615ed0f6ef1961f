import { text } from 'node:stream/consumers';
import { findArtifact, listRunArtifacts, openArtifact } from '@lattice/engine';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
beforeAll(async () => {
  const environment = { LATTICE_MAX_ARTIFACTS: '1Mi', LATTICE_MAX_ARTIFACT_COUNT: '3' };
  platform = await TestPlatform.running({ environment });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const uses = (handler: string, more: Record<string, unknown> = {}) => ({ uses: `handler/files.${handler}`, ...more });
const one = (task: Record<string, unknown>) => platform.run({ name: 'files', tasks: { a: task } });
const names = (run: Awaited<ReturnType<typeof one>>) => run.tasks[0]?.artifacts?.map(({ name }) => name);

test('files that a handler saves show with its task, can be read by others and by expressions', async () => {
  const run = await platform.run({
    name: 'files',
    tasks: {
      save: uses('save'),
      read: uses('read', { with: { input: { of: "${{ tasks.save.artifacts['notes/a.txt'] }}" } } }),
      size: { uses: 'transform', with: "${{ tasks.save.artifacts['b.bin'].size }}" },
      code: {
        uses: 'code',
        with: {
          language: 'javascript',
          source:
            'import { readFileSync } from "node:fs"; export default () => readFileSync(process.env.LATTICE_FILES + "/in", "utf8")',
          files: { in: '${{ tasks.save.output }}' },
        },
      },
    },
    outputs: { read: '${{ tasks.read.output }}', size: '${{ tasks.size.output }}', code: '${{ tasks.code.output }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { read: 'h\u00e9', size: 100_000, code: 'h\u00e9' } });
  const [note, ...others] = run.tasks[0]?.artifacts?.toReversed() ?? [];
  expect(note).toEqual(run.tasks[0]?.output);
  expect(others.map(({ name, size }) => [name, size])).toEqual([
    ['empty', 0],
    ['b.bin', 100_000],
  ]);
  const artifact = await findArtifact(platform.engine, note?.id ?? '');
  expect(await text(await openArtifact(platform.engine, artifact))).toBe('h\u00e9');
  const { artifacts } = await listRunArtifacts(platform.engine, { runId: run.runId, limit: 10 });
  expect(artifacts).toHaveLength(3);
  const completed = (await platform.events(run.runId)).find(({ type }) => type === 'task.completed');
  expect(completed?.data['artifacts']).toHaveLength(3);
});

test('a handler that does not wait for what it saves is waited for', async () => {
  const run = await one(uses('hasty'));
  expect(run).toMatchObject({ status: 'completed', tasks: [{ output: 'done' }] });
  expect(names(run)).toEqual(['one', 'two']);
});

test('what an attempt saved that failed does not show, and does not go on', async () => {
  const run = await one(uses('throws', { retry: { maxAttempts: 2, initialDelay: '1ms' } }));
  expect(run).toMatchObject({ status: 'completed', tasks: [{ output: 2, attempts: 2 }] });
  expect(names(run)).toEqual(['of-2']);
});

test.each([
  ['twice', 'artifact_refused', /"a" is refused: there is "a"/],
  ['below', 'artifact_refused', /"a\/b" is refused: there is "a"/],
  ['outside', 'artifact_refused', /"\.\.\/up" can't be its name: not the path of a file/],
  ['large', 'artifacts_too_large', /more than 1048576 bytes/],
  ['many', 'artifacts_too_large', /more than 3 files/],
  ['broken', 'task_failed', /the source broke/],
  ['caught', 'task_failed', /the source broke/],
])('a save that can not be fails the task: %s', async (handler, code, message) => {
  const run = await one(uses(handler));
  expect(run.tasks[0]).toMatchObject({ status: 'failed', error: { code, message: expect.stringMatching(message) } });
  expect(names(run)).toBeUndefined();
});

test('an endless file ends with the time limit of the task', async () => {
  const run = await one(uses('endless', { timeout: '300ms' }));
  expect(run.tasks[0]).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
});

test('a handler that works on a batch saves none', async () => {
  const run = await one(uses('batch', { batch: { size: 1, timeout: '1ms' } }));
  expect(run.tasks[0]?.error).toMatchObject({ code: 'artifact_refused', message: expect.stringContaining('batch') });
});

test('artifacts of other runs are read only when the inputs name them', async () => {
  const made = await one(uses('save'));
  const { id } = made.tasks[0]?.artifacts?.[0] ?? { id: '' };
  const reader = (of: string) => ({
    name: 'reader',
    inputs: { file: { type: 'any', default: null } },
    tasks: { a: uses('read', { with: { input: { of } } }) },
  });
  const guessed = await platform.run(reader(id));
  expect(guessed.tasks[0]?.error).toMatchObject({ code: 'artifact_not_granted' });
  const granted = await platform.run(reader('${{ inputs.file }}'), { inputs: { file: made.tasks[0]?.output } });
  expect(granted).toMatchObject({ status: 'completed', tasks: [{ output: 'h\u00e9' }] });
  expect((await platform.run(reader('no id'))).tasks[0]?.error).toMatchObject({ code: 'artifact_not_found' });
});
