import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPlatform, type Platform } from '../e2e/support/platform';
import { start } from '../e2e/support/programs';
import { bundle, installSdk, root, typeCheck } from './support';

const examples = join(root, 'examples', 'sdk');
const run = promisify(execFile);
let folder = '';
let platform: Platform;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await installSdk();
  for (const name of readdirSync(examples)) writeFileSync(join(folder, name), readFileSync(join(examples, name)));
  platform = await startPlatform();
  env = { ...platform.env, LATTICE_URL: platform.api.url, LATTICE_API_KEY: platform.api.key };
}, 240_000);
afterAll(async () => {
  await platform?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function lines(name: string): Promise<string[]> {
  await bundle(folder, `${name}.ts`, `${name}.mjs`);
  const { stdout } = await run(process.execPath, [`${name}.mjs`], { cwd: folder, env });
  return stdout.trim().split('\n');
}

it('greet.ts, which the README shows, runs without a worker of its own', async () => {
  const source = readFileSync(join(examples, 'greet.ts'), 'utf8');
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(source);
  const printed = await lines('greet');
  expect(printed.slice(0, 3).sort()).toEqual(['clean completed', 'longest completed', 'shout completed']);
  expect(printed.slice(3).join('')).toContain("longest: 'Edsger'");
  expect(printed.slice(3).join('')).toContain("greetings: [ 'HELLO ADA', 'HELLO GRACE', 'HELLO EDSGER' ]");
});

it('orders.ts is done by worker.ts', async () => {
  await bundle(folder, 'worker.ts', 'worker.mjs');
  const worker = start(process.execPath, [join(folder, 'worker.mjs')], env);
  await worker.prints('connected to');
  const printed = await lines('orders');
  worker.signalGroup('SIGTERM');
  expect(JSON.parse(printed.at(-1) ?? '')).toEqual({ lines: ['DE 248.50', 'FR 249.50', 'IT 250.50'], total: 74_850 });
  expect(printed.filter((line) => line.startsWith('task.completed'))).toHaveLength(4);
  expect((await worker.ended).code).toBe(0);
});

it('all of them compile', async () => {
  expect(await typeCheck(folder, ['greet.ts', 'orders.ts', 'worker.ts'])).toBe('');
});
