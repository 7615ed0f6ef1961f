import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  findArtifact,
  listRunArtifacts,
  openArtifact,
  requestFork,
  requestRerun,
  sweepArtifacts,
} from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.open({ LATTICE_INLINE_OUTPUT: '100Ki', LATTICE_MAX_OUTPUT: '1Mi', LATTICE_WARM: '0' });
  await platform.scheduler();
});
beforeEach(() => platform.worker());
afterEach(async () => {
  await platform.settled();
  await platform.stopParts();
  await platform.scheduler();
});
afterAll(() => platform.close());

const WRITE = 'import { writeFileSync } from "node:fs"; const at = process.env.LATTICE_ARTIFACTS;';

function code(source: string, more: Record<string, unknown> = {}) {
  return { uses: 'code', with: { language: 'javascript', source, ...more } };
}

/** All files of the store, but what it is known by. */
function objects(): string[] {
  const folder = join(platform.folder, 'artifacts');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.store')
    .map(({ name }) => name)
    .sort();
}

async function read(id: string): Promise<string> {
  return text(await openArtifact(platform.engine, await findArtifact(platform.engine, id)));
}

test('files of a task are in its result, in its event and in the list of the run, and can be named in expressions', async () => {
  const run = await platform.run({
    name: 'files',
    tasks: {
      make: code(`${WRITE} export default () => { writeFileSync(at + "/data.csv", "a;b"); return { rows: 1 } }`),
      see: {
        uses: 'transform',
        with: { rows: '${{ tasks.make.output.rows }}', of: "${{ tasks.make.artifacts['data.csv'] }}" },
      },
      none: code('export default () => 1'),
    },
    outputs: { size: "${{ tasks.make.artifacts['data.csv'].size }}", none: '${{ tasks.none.artifacts }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { size: 3, none: {} } });
  const [make, see, none] = run.tasks;
  const file = {
    id: expect.any(String),
    name: 'data.csv',
    size: 3,
    mediaType: 'text/csv',
    sha256: createHash('sha256').update('a;b').digest('hex'),
  };
  expect(make).toMatchObject({ output: { rows: 1 }, artifacts: [file] });
  expect(see?.output).toEqual({ rows: 1, of: make?.artifacts?.[0] });
  expect(none).not.toHaveProperty('artifacts');
  const event = (await platform.events(run.runId)).find(
    ({ type, taskKey }) => type === 'task.completed' && taskKey === 'make',
  );
  expect(event?.data).toMatchObject({ artifacts: make?.artifacts });
  const { artifacts } = await listRunArtifacts(platform.engine, { runId: run.runId, limit: 10 });
  expect(artifacts).toMatchObject([{ ...file, kind: 'file', task: 'make', attempt: 1 }]);
  expect(await read(artifacts[0]?.id ?? '')).toBe('a;b');
});

test('an output above the inline limit is an artifact, and comes whole to those who use it', async () => {
  const run = await platform.run({
    name: 'large',
    tasks: {
      make: code('export default () => "ü".repeat(200_000)'),
      use: code('export default (x) => x.length', { input: '${{ tasks.make.output }}' }),
      decide: { ...code('export default () => "yes"'), if: '${{ size(tasks.make.output) > 100000 }}' },
    },
    outputs: { length: '${{ tasks.use.output }}', decided: '${{ tasks.decide.output }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { length: 200_000, decided: 'yes' } });
  expect(run.tasks[0]).toMatchObject({ output: null, outputArtifact: { name: 'output.json', size: 400_002 } });
  expect(JSON.parse(await read(run.tasks[0]?.outputArtifact?.id ?? ''))).toBe('ü'.repeat(200_000));
});

test('an output above the hard limit is an error, and nothing of it is kept', async () => {
  const before = objects();
  const run = await platform.run({ name: 'huge', tasks: { make: code('export default () => "x".repeat(1_100_000)') } });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'output_too_large' } });
  expect(run.error?.message).toContain('1100002 bytes');
  expect(objects()).toEqual(before);
});

test('a worker that dies between upload and record: the task is done again, and only the second result shows', async () => {
  await platform.stopParts();
  await platform.scheduler();
  const before = objects();
  const dying = await platform.spawn({ kind: 'worker', race: 'after-upload', env: { LATTICE_LOCK: '2s' } });
  const runId = await platform.submit({
    name: 'dies',
    tasks: { make: code(`${WRITE} export default () => { writeFileSync(at + "/x", String(process.pid)) }`) },
  });
  expect(await dying.ended).toBe('SIGKILL');
  await eventually('the first upload is there', () => (objects().length > before.length ? true : undefined));
  await platform.worker({ env: { LATTICE_LOCK: '2s' } });
  const run = await platform.wait(runId, 40_000);
  expect(run.tasks).toMatchObject([{ status: 'completed', attempts: 2, artifacts: [{ name: 'x' }] }]);
  const { artifacts } = await listRunArtifacts(platform.engine, { runId, limit: 10 });
  expect(artifacts).toMatchObject([{ attempt: 2 }]);
  expect(objects().length).toBe(before.length + 2);
});

test('a store that can not be written to makes the task fail, and it may be tried again', async () => {
  const blocked = join(platform.folder, 'blocked');
  writeFileSync(blocked, 'no folder');
  await platform.stopParts();
  await platform.scheduler();
  await platform.worker({ env: { LATTICE_ARTIFACTS: join(blocked, 'inside') } });
  const run = await platform.run({
    name: 'no-store',
    tasks: { make: code(`${WRITE} export default () => { writeFileSync(at + "/x", "x") }`) },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'artifacts_unavailable' } });
  expect(run.tasks[0]?.error?.retryable).toBe(true);
});

/** Lets the times pass that the sweep waits for, and sweeps. */
async function sweep(): Promise<void> {
  const { db } = platform.engine;
  await db.query("update artifacts set check_at = now() - interval '1 second' where check_at is not null");
  await sweepArtifacts(platform.engine);
  await db.query("update artifacts set doomed_at = doomed_at - interval '1 hour' where doomed_at is not null");
  await sweepArtifacts(platform.engine);
}

const PASS = {
  name: 'pass',
  tasks: {
    make: code(
      `${WRITE} export default () => { writeFileSync(at + "/data.csv", "a;b"); writeFileSync(at + "/more", "c") }`,
    ),
    use: code(
      'import { readFileSync, readdirSync } from "node:fs"; const at = process.env.LATTICE_FILES; export default () => [readFileSync(at + "/in/one", "utf8"), readdirSync(at)]',
      { files: { 'in/one': "${{ tasks.make.artifacts['data.csv'] }}" } },
    ),
    all: code(
      'import { readdirSync } from "node:fs"; export default () => readdirSync(process.env.LATTICE_FILES).sort()',
      { files: '${{ tasks.make.artifacts }}' },
    ),
  },
  outputs: { use: '${{ tasks.use.output }}', all: '${{ tasks.all.output }}' },
};

test('a task finds the files that it asks for, and waits for the task that makes them', async () => {
  const run = await platform.run(PASS);
  expect(run).toMatchObject({ status: 'completed', outputs: { use: ['a;b', ['in']], all: ['data.csv', 'more'] } });
});

test.each([
  ['names a file that was not made', { x: "${{ tasks.make.artifacts['none'] }}" }, 'expression_failed'],
  ['names no artifact', { x: '${{ tasks.make.output }}' }, 'expression_failed'],
  ['leads out of its folder', { '../x': "${{ tasks.make.artifacts['x'] }}" }, 'expression_failed'],
  [
    'names an artifact that is not there',
    { x: { id: '0196a1b2-0000-7000-8000-000000000000', name: 'x', size: 1, sha256: '', mediaType: '' } },
    'artifact_not_found',
  ],
])('a task that %s fails and says so', async (_, files, error) => {
  const make = code(`${WRITE} export default () => { writeFileSync(at + "/x", "x") }`);
  const run = await platform.run({
    name: 'wrong',
    tasks: { make, use: { ...code('export default () => 1', { files }), needs: 'make' } },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: error } });
});

test('a rerun replaces artifacts, a fork keeps those it reuses; both go with their runs, objects with the last that has them', async () => {
  await sweep();
  const before = objects();
  const first = await platform.run(PASS);
  await platform.settled();
  const own = { apiKeyId: '00000000-0000-0000-0000-000000000000' };
  const fork = await requestFork(platform.engine, { runId: first.runId, from: ['use'], ...own });
  platform.runs.push(fork.runId);
  const forked = await platform.wait(fork.runId);
  expect(forked).toMatchObject({ status: 'completed', outputs: { use: ['a;b', ['in']] } });
  const copies = forked.tasks[0]?.artifacts ?? [];
  expect(copies).toMatchObject([{ name: 'data.csv' }, { name: 'more' }]);
  expect(copies[0]?.id).not.toBe(first.tasks[0]?.artifacts?.[0]?.id);
  await sweep();
  expect(objects().length).toBe(before.length + 2);

  await requestRerun(platform.engine, first.runId, { task: 'make', downstream: true });
  platform.runs.push(first.runId);
  const again = await eventually('the rerun has ended', async () => {
    const now = await platform.read(first.runId);
    return now.status === 'completed' && now.reopenedAt !== null && (now.tasks[0]?.attempts ?? 0) > 1 ? now : undefined;
  });
  expect(again.tasks[0]?.artifacts?.[0]?.id).not.toBe(first.tasks[0]?.artifacts?.[0]?.id);
  await sweep();
  // The fork still has those of the first time.
  expect(objects().length).toBe(before.length + 4);
  expect(await read(copies[0]?.id ?? '')).toBe('a;b');
  await expect(findArtifact(platform.engine, first.tasks[0]?.artifacts?.[0]?.id ?? '')).rejects.toMatchObject({
    code: 'artifact_not_found',
  });

  const { expireRuns } = await import('@lattice/persistence');
  await eventually('the runs can be deleted', async () => {
    const later = new Date(Date.now() + 60_000);
    await expireRuns(platform.engine.db, { completed: later, failed: later, cancelled: later });
    const [row] = await platform.engine.db.query('select count(*)::int as n from runs');
    return row?.['n'] === 0 ? true : undefined;
  });
  await sweep();
  expect(objects()).toEqual([]);
});
