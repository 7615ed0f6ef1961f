/**
 * `npm run images:check`: builds every image of docker-compose.yml, starts its services as containers, three workers among them, runs a
 * workflow through them, and stops them. With Docker's engine and client alone, without the plugin for Compose. Bases are those of
 * docker/bases/images.env (docker/make-bases.sh makes them), or NODE_IMAGE, CUDA_IMAGE, POSTGRES_IMAGE and REDIS_IMAGE.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const bases = Object.fromEntries(
  [...read('docker/bases/images.env').matchAll(/^(\w+)=(.*)$/gm)].map(([, k, v]) => [k, v]),
);
const settings = { ...bases, ...process.env };
/** As Compose does, in what YAML has: `${NAME:-default}`. */
const fill = (_key, value) =>
  typeof value === 'string'
    ? value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name, other) => settings[name] || other)
    : value;
const { services } = parse(read('docker-compose.yml'), fill, { merge: true });

const run = `lattice-check-${process.pid}`;
const WORKERS = 3;
const containers = [];
const volumes = new Set();
const started = performance.now();
const say = (line) => console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`);
const docker = (...words) =>
  execFileSync('docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

const SOURCE = {
  javascript: 'export default async () => { await new Promise((r) => setTimeout(r, 1500)); return process.pid > 0 }',
  python: 'import time\ndef main(input):\n    time.sleep(1.5)\n    return True',
};
const code = (language) => ({ uses: 'code', with: { language, source: SOURCE[language] }, resources: { cpu: 1 } });

try {
  for (const [name, { build }] of Object.entries(services)) if (build !== undefined) buildImage(name, build);
  docker('network', 'create', run);
  for (const name of ['postgres', 'redis', 'api', 'scheduler']) start(name, name);
  for (let n = 1; n <= WORKERS; n++) start('worker', `worker-${n}`, ['--cpus', '1']);
  // Without the toolkit of NVIDIA there are no GPUs for it to see: that it starts, and takes tasks, shows what the image lacks.
  start('worker-gpu', 'worker-gpu', ['--cpus', '1']);
  await Promise.all(containers.filter(hasCheck).map(untilHealthy));
  say('all are healthy');
  checkRun();
  checkStop();
  say('ok');
} catch (error) {
  for (const name of containers) console.error(`--- ${name}\n${quietly('logs', '--tail', '30', name)}`);
  console.error(error.stderr ?? error);
  process.exitCode = 1;
} finally {
  for (const name of containers) quietly('rm', '--force', name);
  for (const volume of volumes) quietly('volume', 'rm', volume);
  quietly('network', 'rm', run);
  for (const [name, { build }] of Object.entries(services)) if (build !== undefined) quietly('rmi', `${run}/${name}`);
}

function buildImage(name, { dockerfile, target, args }) {
  const words = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  docker(
    'build',
    '--quiet',
    '--file',
    join(root, dockerfile),
    '--target',
    target,
    '--tag',
    `${run}/${name}`,
    ...words,
    root,
  );
  say(`built ${target}`);
}

function start(service, as, more = []) {
  const { image, command = [], environment = {}, volumes: mounts = [], healthcheck, init } = services[service];
  const name = `${run}-${as}`;
  const words = ['--detach', '--name', name, '--network', run, '--network-alias', service, ...more];
  if (init === true) words.push('--init');
  for (const [key, value] of Object.entries(environment)) words.push('--env', `${key}=${value}`);
  for (const mount of mounts) {
    const [volume, path] = mount.split(':');
    volumes.add(`${run}-${volume}`);
    words.push('--volume', `${run}-${volume}:${path}`);
  }
  if (healthcheck !== undefined)
    words.push(
      '--health-cmd',
      healthcheck.test.slice(1).join(' '),
      '--health-interval',
      healthcheck.interval,
      '--health-retries',
      '30',
    );
  containers.push(name);
  docker('run', ...words, image ?? `${run}/${service}`, ...command);
}

function hasCheck(name) {
  return docker('inspect', '--format', '{{if .State.Health}}yes{{end}}', name) === 'yes';
}

async function untilHealthy(name) {
  const end = performance.now() + 120_000;
  while (docker('inspect', '--format', '{{.State.Health.Status}}', name) !== 'healthy') {
    // What depends on another starts again until it is there, as with `restart: unless-stopped`.
    if (docker('inspect', '--format', '{{.State.Running}}', name) !== 'true') docker('start', name);
    if (performance.now() > end) throw new Error(`${name} is not healthy within 2 minutes`);
    await delay(500);
  }
}

/** Six tasks of a processor each at once: no worker can have them alone. */
function checkRun() {
  const tasks = Object.fromEntries(
    ['a', 'b', 'c'].flatMap((key) => [
      [`js_${key}`, code('javascript')],
      [`py_${key}`, code('python')],
    ]),
  );
  const lattice = (...words) => docker('exec', `${run}-api`, 'lattice', ...words, '--json');
  execFileSync('docker', ['exec', '--interactive', `${run}-api`, 'tee', '/tmp/check.json'], {
    input: JSON.stringify({ name: 'check', tasks }),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const { runId } = JSON.parse(lattice('run', '/tmp/check.json'));
  const { status, tasks: done } = JSON.parse(lattice('runs', 'get', runId));
  const workers = new Set(done.map(({ workerId }) => workerId));
  if (status !== 'completed' || workers.size < 2)
    throw new Error(`${status} on ${workers.size} workers: ${JSON.stringify(done)}`);
  say(`a run of ${done.length} tasks completed on ${workers.size} workers`);
}

function checkStop() {
  const apps = containers.filter((name) => /-(api|scheduler|worker.*)$/.test(name));
  docker('stop', '--time', '30', ...apps);
  for (const name of apps) {
    const code = docker('inspect', '--format', '{{.State.ExitCode}}', name);
    if (code !== '0') throw new Error(`${name} ended with ${code} when it was stopped`);
  }
  say('each ended with 0 when it was stopped');
}

/** What Docker says on either stream; a failure is no error here. */
function quietly(...words) {
  const { stdout, stderr } = spawnSync('docker', words, { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
