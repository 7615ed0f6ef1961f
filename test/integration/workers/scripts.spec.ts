import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureSecretsKey, setSecret } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lattice-scripts-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await platform.close();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

async function open(): Promise<void> {
  platform = await TestPlatform.open();
  await platform.scheduler();
}
const workerWithScripts = () => platform.worker({ env: { LATTICE_SCRIPTS: folder } });

test('a script takes the output of a task, and gives its own on', async () => {
  write(
    'sum.sh',
    '#!/bin/sh\nset -e\ntr -dc 0-9, < "$LATTICE_INPUT" | tr , "\\n" | awk \'{ s += $1 } END { print s }\' > "$LATTICE_OUTPUT"\n',
  );
  await open();
  await workerWithScripts();
  const run = await platform.run({
    name: 'sums',
    tasks: {
      numbers: { uses: 'transform', with: [1, 2, 39] },
      sum: { uses: 'script', with: { path: 'sum.sh', input: '${{ tasks.numbers.output }}' } },
      named: { uses: 'script', with: { path: '${{ tasks.sum.output == 42 ? "sum.sh" : "../x" }}', input: [1] } },
    },
    outputs: { sum: '${{ tasks.sum.output }}', again: '${{ tasks.named.output }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { sum: 42, again: 1 } });
});

test('waits, with the reason, until a worker with a folder of scripts comes', async () => {
  write('x.sh', '#!/bin/sh\n');
  await open();
  await platform.worker();
  const runId = await platform.submit({ name: 'waits', tasks: { a: { uses: 'script', with: { path: 'x.sh' } } } });
  const reason = await eventually('the task says why it waits', async () => {
    const [task] = (await platform.read(runId)).tasks;
    return task?.reason ?? undefined;
  });
  expect(reason).toBe('no worker has a folder of scripts; start one with LATTICE_SCRIPTS');
  await workerWithScripts();
  expect(await platform.wait(runId)).toMatchObject({ status: 'completed', tasks: [{ output: { exitCode: 0 } }] });
});

test('is tried again by its exit code, and not for what a path can not have', async () => {
  write('third.sh', '#!/bin/sh\necho try >> "$TRIES"\n[ "$(wc -l < "$TRIES")" -ge 3 ] || exit 75\n');
  const retry = { maxAttempts: 5, initialDelay: '10ms' };
  const tries = path.join(folder, 'tries');
  await open();
  await workerWithScripts();
  const script = (retryOn: unknown[]) => ({
    name: 'again',
    onFailure: 'continue',
    tasks: {
      busy: { uses: 'script', with: { path: 'third.sh', env: { TRIES: tries } }, retry: { ...retry, retryOn } },
      gone: { uses: 'script', with: { path: 'gone.sh' }, retry },
    },
  });
  const failed = await platform.run(script([2]));
  const busy = failed.tasks.find(({ key }) => key === 'busy');
  expect(busy).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: { code: 'task_failed', details: { exitCode: 75 } },
  });
  const run = await platform.run(script([75]));
  expect(run.tasks.find(({ key }) => key === 'busy')).toMatchObject({ status: 'completed', attempts: 2 });
  expect(run.tasks.find(({ key }) => key === 'gone')).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: { code: 'script_not_found' },
  });
  expect(readFileSync(tries, 'utf8')).toBe('try\n'.repeat(3));
});

test('gets secrets, which its log does not show, and files', async () => {
  write(
    'use.sh',
    '#!/bin/sh\necho "token $TOKEN $PLAIN"; cat "$LATTICE_FILES/data.csv"; echo more > "$LATTICE_ARTIFACTS/more"\n',
  );
  write('make.sh', '#!/bin/sh\necho "a;b" > "$LATTICE_ARTIFACTS/data.csv"\n');
  await open();
  await ensureSecretsKey(platform.engine);
  await setSecret(platform.engine, 'TOKEN', 'very-secret-token');
  await workerWithScripts();
  const run = await platform.run({
    name: 'files',
    tasks: {
      make: { uses: 'script', with: { path: 'make.sh' } },
      use: {
        uses: 'script',
        env: { PLAIN: 'task', BOTH: '1' },
        with: {
          path: 'use.sh',
          env: { TOKEN: '${{ secrets.TOKEN }}', PLAIN: 'body' },
          files: '${{ tasks.make.artifacts }}',
        },
      },
    },
  });
  expect(run).toMatchObject({ status: 'completed' });
  expect(run.tasks.find(({ key }) => key === 'use')?.artifacts).toMatchObject([{ name: 'more', size: 5 }]);
  const events = await platform.events(run.runId);
  const log = events
    .filter(({ type, taskKey }) => type === 'task.log' && taskKey === 'use')
    .map(({ data }) => data['text']);
  expect(log.join('')).toBe('token *** body\na;b\n');
});
