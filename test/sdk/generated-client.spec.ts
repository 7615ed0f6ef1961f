import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureAdminKey } from '@lattice/engine';
import { startApi, type RunningApi } from '../../apps/api/src/start-api';
import { TestPlatform } from '../support/platform';
import { root } from './support';

/** A program that knows the platform by its OpenAPI document alone. */
const PROGRAM = `
import { client } from './api/client.gen';
import { submitRun, waitForRun, getRun, listRuns, followRun, validateWorkflow, saveWorkflow, getWorkflow } from './api/sdk.gen';

const [baseUrl = '', key = '', word = ''] = process.argv.slice(2);
client.setConfig({ baseUrl, auth: () => key });
const workflow = { name: 'hello', tasks: { greet: { uses: 'handler/echo', with: { text: 'hi' } } } };

const faulty = await validateWorkflow({ body: { name: 'x', tasks: { a: { uses: 'handler/echo', needs: ['b'] } } } });
console.log(faulty.data?.valid, faulty.data?.faults[0]?.code);

const saved = await saveWorkflow({ body: workflow, throwOnError: true });
const read = await getWorkflow({ path: { name: 'hello' }, throwOnError: true });
console.log(saved.data.version === read.data.version);

const { data: { runId } } = await submitRun({ body: { workflow: 'hello' }, headers: { 'Idempotency-Key': word }, throwOnError: true });
const again = await submitRun({ body: { workflow: 'hello' }, headers: { 'Idempotency-Key': word }, throwOnError: true });
console.log(again.data.runId === runId, again.response.status);

const types: string[] = [];
const { stream } = await followRun({ path: { id: runId }, sseMaxRetryAttempts: 1 });
for await (const event of stream) if (event) types.push(event.type);
console.log(types.join(' '));

const { data: run } = await waitForRun({ path: { id: runId }, query: { timeout: '10s' }, throwOnError: true });
const status: string = run.status;
const keys: string[] = run.tasks.map((task) => task.key);
console.log(status, keys.join(' '));

const { data: list } = await listRuns({ query: { workflow: 'hello' }, throwOnError: true });
console.log(list.runs.length);

const { error, response } = await getRun({ path: { id: '01900000-0000-7000-8000-000000000000' } });
console.log(response?.status, error?.code);
`;

const modules = join(root, 'node_modules');
/** What a browser or Node project with a bundler has, as strict as can be. */
const COMPILER = [
  '--strict',
  '--noEmit',
  '--skipLibCheck',
  '--target',
  'es2023',
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
];

let platform: TestPlatform;
let api: RunningApi;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lattice-generated-'));
  platform = await TestPlatform.open({ PORT: '0' });
  api = await startApi(platform.engine);
  await ensureAdminKey(platform.engine);
  await platform.scheduler();
  await platform.worker();
});
afterAll(async () => {
  await api.close();
  await platform.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: folder }).catch(
    (error: unknown) => {
      throw new Error(`${program}: ${JSON.stringify(error)}`);
    },
  );
  return stdout;
}

it('a client generated from the OpenAPI document compiles and works', async () => {
  await run(
    join(modules, '@hey-api/openapi-ts/bin/run.js'),
    '-i',
    join(root, 'docs/openapi.json'),
    '-o',
    join(folder, 'api'),
    '--no-log-file',
  );
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'main.ts'), PROGRAM);
  await run(
    join(modules, 'typescript/bin/tsc'),
    ...COMPILER,
    '--typeRoots',
    join(modules, '@types'),
    '--types',
    'node',
    'main.ts',
  );
  await run(
    join(modules, 'esbuild/bin/esbuild'),
    'main.ts',
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--outfile=main.mjs',
  );
  const key = readFileSync(platform.engine.settings.adminKeyFile, 'utf8').trim();
  const out = await run('main.mjs', api.url, key, 'once');
  expect(out.trim().split('\n')).toEqual([
    'false unknown_dependency',
    'true',
    'true 200',
    'run.created run.started task.queued task.started task.completed run.completed',
    'completed greet',
    '1',
    '404 run_not_found',
  ]);
});
