/**
 * `npm run demo:workers`: three workers with different labels, one with a pair of GPUs that a script makes up, on this machine.
 * Shows where tasks go and why they wait, a batch, a drain, and what becomes of the tasks of a worker that is killed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

await ensureReady();
endWithNpm();
const require = createRequire(import.meta.url);
const { homePaths, removeHome, startPlatform } = require(join(root, 'libs/embedded/dist/index.js'));
const { LatticeClient } = require(join(root, 'libs/sdk/dist/index.js'));

const started = performance.now();
const home = mkdtempSync(join(tmpdir(), 'lattice-demo-'));
const { REDIS_URL: _redis, DATABASE_URL: _database, ...ours } = process.env;
/** A short lock, so that the tasks of a killed worker are taken up within seconds. */
const base = {
  ...ours,
  LATTICE_LOCK: '3s',
  LATTICE_HANDLERS: join(root, 'examples/workers/handlers.mjs'),
  LATTICE_GPU_LOCKS: join(home, 'gpus'),
  LATTICE_CPUS: '4',
};
const workers = new Map();

const say = (text = '') => console.log(text);
const scene = (title) => say(`\n${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${title}`);
const line = (...cells) =>
  say(`         ${cells.map((cell, at) => String(cell).padEnd(at === 0 ? 12 : 10)).join(' ')}`);

let platform;
try {
  say('Three workers on one machine: a starts, then b, then gpu.');
  platform = await startPlatform({
    home,
    exit: true,
    fsync: false,
    env: { ...base, LATTICE_WORKER_ID: 'a', LATTICE_LABELS: 'zone=a' },
  });
  await demo(platform);
  say(`\nDone in ${((performance.now() - started) / 1000).toFixed(0)} s. docs/workers.md says how.`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const child of workers.values()) child.kill('SIGKILL');
  await platform?.stop();
  removeHome(homePaths(home));
}
process.exit();

async function demo({ url, redisUrl, databaseUrl, adminKeyFile }) {
  const client = new LatticeClient({ url, apiKey: readFileSync(adminKeyFile, 'utf8').trim() });
  const services = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, LATTICE_HOME: home };
  startWorker('b', { ...services, LATTICE_LABELS: 'zone=b' });
  const PATH = `${join(root, 'examples/workers/bin')}:${process.env.PATH}`;
  startWorker('gpu', { ...services, PATH, LATTICE_LABELS: 'zone=b,disk=ssd' });
  const all = await until(async () => {
    const online = (await client.workers()).filter(({ status }) => status === 'online');
    return online.length === 3 && online;
  });
  scene('the workers');
  for (const { workerId, labels, resources, gpus } of all)
    line(workerId, `zone=${labels.zone}`, `${resources.cpu} cpus`, `${gpus.length} GPUs`, labels['gpu.model'] ?? '');
  await placement(client);
  await waiting(client);
  await batch(client);
  await drain(client);
  await kill(client);
}

async function placement(client) {
  scene('placement: by label, by preference, by GPU');
  const place = (more) => ({ uses: 'handler/place', ...more });
  const tasks = {
    zone_a: place({ runsOn: { zone: 'a' } }),
    zone_b: place({ runsOn: { zone: 'b' }, prefer: [{ runsOn: { 'gpu.count': 0 } }] }),
    likes_ssd: place({ prefer: [{ runsOn: { disk: 'ssd' } }] }),
    pinned: place({ runsOn: { 'worker.id': 'b' } }),
    half_1: place({ resources: { gpu: 0.5 } }),
    half_2: place({ resources: { gpu: 0.5 } }),
    whole: place({ resources: { gpu: 1 } }),
  };
  const run = await finished(client, { name: 'placement', tasks });
  for (const { key, workerId, output } of run.tasks) line(key, `-> ${workerId}`, output.gpus.join(' '));
}

async function waiting(client) {
  scene('a task that no worker can take says why');
  const { runId } = await client.submit({
    workflow: { name: 'waits', tasks: { train: { uses: 'handler/place', runsOn: { 'gpu.model': 'a100' } } } },
  });
  const reason = await until(async () => (await client.getRun(runId)).tasks[0].reason);
  line('train', reason);
  await client.cancel(runId);
}

async function batch(client) {
  scene('a batch: 8 runs, one call of the handler for up to 4 of them');
  const workflow = {
    name: 'batch',
    inputs: { text: { type: 'string' } },
    tasks: {
      embed: {
        uses: 'handler/embed',
        runsOn: { 'worker.id': 'gpu' },
        with: { input: '${{ inputs.text }}' },
        batch: { size: 4, timeout: '300ms' },
      },
    },
  };
  const texts = ['one', 'three', 'seven', 'eleven', 'twelve', 'twenty', 'thirty', 'forty-two'];
  const runs = await Promise.all(texts.map((text) => finished(client, workflow, { text })));
  for (const [at, { tasks }] of runs.entries())
    line(texts[at], `length ${tasks[0].output.length}`, `in a batch of ${tasks[0].output.batch}`);
}

async function drain(client) {
  scene('drain: b ends what it has and takes nothing more');
  const held = await client.submit({
    workflow: {
      name: 'held',
      tasks: { t: { uses: 'handler/work', with: { ms: 2_000 }, runsOn: { 'worker.id': 'b' } } },
    },
  });
  await until(async () => (await client.getRun(held.runId)).tasks[0].status === 'running');
  await client.orderWorker('b', 'drain', { exit: true });
  await until(async () => (await client.workers()).find(({ workerId }) => workerId === 'b')?.status === 'draining');
  line('b', 'draining');
  const tasks = Object.fromEntries(['t1', 't2', 't3'].map((key) => [key, { uses: 'handler/work', with: { ms: 100 } }]));
  const run = await finished(client, { name: 'others', tasks });
  for (const { key, workerId } of run.tasks) line(key, `-> ${workerId}`);
  const { tasks: last } = await client.wait(held.runId);
  line('held', `-> ${last[0].workerId}`, last[0].status);
  await ended('b');
  line('b', 'has ended by itself');
}

async function kill(client) {
  scene('kill -9 of the worker gpu in the middle of a task');
  const { runId } = await client.submit({
    workflow: {
      name: 'killed',
      tasks: { t: { uses: 'handler/work', with: { ms: 3_000 }, prefer: [{ runsOn: { disk: 'ssd' } }] } },
    },
  });
  const before = await until(async () => {
    const [task] = (await client.getRun(runId)).tasks;
    return task.status === 'running' && task.workerId !== null && task;
  });
  line('t', `runs on ${before.workerId}, attempt ${before.attempts}`);
  workers.get('gpu').kill('SIGKILL');
  const after = await client.wait(runId);
  line('t', `${after.status} on ${after.tasks[0].workerId}, attempt ${after.tasks[0].attempts}`);
}

function startWorker(id, env) {
  const log = openSync(join(homePaths(home).logs, `${id}.log`), 'a');
  const child = spawn(process.execPath, [join(root, 'apps/worker/dist/main.js')], {
    env: { ...base, ...env, LATTICE_WORKER_ID: id },
    stdio: ['ignore', log, log],
  });
  workers.set(id, child);
}

async function ended(id) {
  const child = workers.get(id);
  await until(() => child.exitCode !== null || child.signalCode !== null);
  workers.delete(id);
}

async function finished(client, workflow, inputs = {}) {
  const { runId } = await client.submit({ workflow, inputs });
  const run = await client.wait(runId, { timeout: '30s' });
  if (run.status !== 'completed')
    throw new Error(`run ${workflow.name} is ${run.status}: ${JSON.stringify(run.tasks)}`);
  return run;
}

/** What the check gives once it gives something; fails after 20 s. */
async function until(check) {
  const end = performance.now() + 20_000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within 20 s: ${check}`);
    await delay(50);
  }
}
