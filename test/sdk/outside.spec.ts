import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@lattice/embedded';
import { openDatabase, readEvents } from '@lattice/persistence';
import { eventually } from '../support/eventually';
import { testServices, type TestServices } from '../e2e/support/services';
import { installSdk, root, transpile, typeCheck } from './support';

let folder = '';
let services: TestServices;
let url: string;
let env: NodeJS.ProcessEnv;
const programs: Program[] = [];

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
  output(): string;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? String(code))));
  const program = { child, ended, output: () => output };
  programs.push(program);
  return program;
}

async function startApp(name: 'api' | 'scheduler'): Promise<Program> {
  const program = start(join(root, 'apps', name, 'dist', 'main.js'));
  if (name === 'api') {
    await eventually(
      'the API is ready',
      async () => ((await fetch(`${url}/health/ready`)).ok ? true : undefined),
      30_000,
    );
  }
  return program;
}

beforeAll(async () => {
  folder = await installSdk();
  services = await testServices();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  env = {
    PATH: process.env['PATH'],
    ...services.env,
    // On a busy machine the API takes long to come back: the attempt is the worker's until then.
    LATTICE_LOCK: '60s',
    LATTICE_HOME: join(folder, '.lattice'),
    PORT: String(port),
  };
}, 180_000);
afterAll(async () => {
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  await services?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('a program with the packed SDK alone runs and follows a diamond over a kill of the API, each event once', async () => {
  let api = await startApp('api');
  await startApp('scheduler');
  const key = readFileSync(join(folder, '.lattice', 'admin.key'), 'utf8').trim();
  writeFileSync(join(folder, 'outside.mts'), readFileSync(join(root, 'test', 'sdk', 'fixtures', 'outside.mts')));
  await transpile(folder, 'outside.mts', 'outside.mjs');

  const worker = start('outside.mjs', 'worker', url, key, folder);
  await eventually(
    'the worker is connected',
    () => (worker.output().includes('connected to') ? true : undefined),
    30_000,
  );
  const run = start('outside.mjs', 'run', url, key, folder);
  const calls = (): string[] =>
    existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
  // Seen by the follower: what an API had only just taken of a log goes with it when it is killed.
  await eventually('left is under way', () => (run.output().includes('left begins') ? true : undefined), 30_000);

  api.child.kill('SIGKILL');
  await api.ended;
  await eventually('the worker has noticed', () => (worker.output().includes('connecting again') ? true : undefined));
  // The handler ends while there is no API to tell.
  writeFileSync(join(folder, 'go'), '');
  api = await startApp('api');
  expect(await run.ended).toBe('0');

  const lines = run
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toEqual({
    results: ['bottom completed', 'left completed', 'right completed', 'top completed'],
    result: { text: 'cdefgh|efgh|6+4' },
  });
  expect(calls().sort()).toEqual(['bottom 1', 'left 1', 'right 1', 'top 1']);
  const followed = lines.flatMap(({ event }) => (event === undefined ? [] : [event]));
  const db = await openDatabase({ url: services.env.DATABASE_URL, applicationName: 'test' });
  const kept = await readEvents(db, { runId: lines[0].runId, limit: 1_000 });
  await db.close();
  expect(followed).toEqual(kept);
  const counts = (type: string): number => kept.filter((event) => event.type === type).length;
  expect(['task.started', 'task.completed', 'task.retrying', 'run.completed'].map(counts)).toEqual([4, 4, 0, 1]);
  const logs = kept
    .filter(({ type, taskKey }) => type === 'task.log' && taskKey === 'left')
    .map(({ data }) => data['text']);
  expect(logs.join('')).toBe('left begins\nleft ends\n');

  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe('0');
  expect(worker.output()).toContain('ended');
});

it('compiles against the types of the package', async () => {
  expect(await typeCheck(folder, 'outside.mts')).toBe('');
});
