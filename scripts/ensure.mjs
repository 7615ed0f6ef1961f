/**
 * Makes a checkout ready to run: `npm ci` and `tsc -b`, each only when something it reads has changed. Needs nothing but
 * Node and npm, for it runs before anything is installed. Nothing to do takes about 50 ms.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withSetupLock } from './setup-lock.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const installStamp = join(modules, '.lattice-install');
const buildStamp = join(modules, '.lattice-build');

/** Prints why not and ends the process when this Node is too old. */
function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  // NestJS 12 consists of ES modules, which CommonJS code can load from these versions on.
  const firstMinor = { 20: 19, 22: 12 }[major] ?? (major > 22 ? 0 : Infinity);
  if (minor >= firstMinor) return;
  console.error(`Lattice needs Node 20.19 or newer (22.12 or newer of Node 22); this is ${version}.`);
  process.exit(2);
}

export async function ensureReady() {
  await ensureInstalled();
  await ensureBuilt();
}

/** node_modules as package-lock.json says. */
export async function ensureInstalled() {
  checkNode();
  const wanted = installHash();
  if (readStamp(installStamp) !== wanted) {
    await withSetupLock(root, async () => {
      if (readStamp(installStamp) === wanted) return;
      if (!installedByHand()) await install();
      writeFileSync(installStamp, wanted);
    });
  }
  linkPrograms();
}

/** dist/ of every package as its sources say. */
async function ensureBuilt() {
  if (isBuilt()) return;
  await withSetupLock(root, async () => {
    if (isBuilt()) return;
    // Taken before the build: what changes while it runs is built the next time.
    const hash = buildHash();
    await runStep('Building', process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-b']);
    writeFileSync(buildStamp, hash);
  });
}

function isBuilt() {
  return (
    readStamp(buildStamp) === buildHash() && [...packages(), join(root, 'bench')].every((folder) => isCompiled(folder))
  );
}

/** A package without sources (plain assets) has nothing to compile. */
function isCompiled(folder) {
  return !existsSync(join(folder, 'tsconfig.json')) || existsSync(join(folder, 'dist', '.tsbuildinfo'));
}

function install() {
  const npm = process.env.npm_execpath;
  // Inside `npm start` this very npm, else the one on PATH.
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  return runStep('Installing dependencies', command, [
    ...args,
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
}

/** Whether npm, run by hand, has left what package-lock.json asks for; npm notes what it installed in a file like it. */
function installedByHand() {
  const note = join(modules, '.package-lock.json');
  if (!existsSync(note)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(note, 'utf8')).packages;
  const isThere = ([path, { version, link, optional }]) =>
    found[path] === undefined ? optional === true : link === true || found[path].version === version;
  return Object.entries(wanted).every((entry) => !entry[0].startsWith('node_modules/') || isThere(entry));
}

function manifests() {
  const own = packages().map((folder) => join(folder, 'package.json'));
  return [join(root, 'package-lock.json'), join(root, 'package.json'), ...own];
}

function installHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of manifests()) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest('hex');
}

/** Paths, sizes and times, not contents: this runs at every start. */
function buildHash() {
  const hash = createHash('sha256').update(readStamp(installStamp) ?? '');
  const add = (file) => {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`);
  };
  for (const file of ['tsconfig.json', 'tsconfig.base.json']) add(join(root, file));
  for (const folder of [...packages(), join(root, 'bench')]) {
    if (existsSync(join(folder, 'tsconfig.json'))) add(join(folder, 'tsconfig.json'));
    sources(join(folder, 'src')).forEach(add);
  }
  return hash.digest('hex');
}

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(ts|tsx|json)$/.test(entry.name) && !entry.name.endsWith('.spec.ts') ? [path] : [];
  });
}

/** Every workspace folder. */
function packages() {
  return ['libs', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .sort();
}

/** `npx lattice`: npm links the programs of a workspace only if they were in the lock file when it was written. */
function linkPrograms() {
  const cli = join(root, 'libs', 'cli');
  const { bin = {} } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8'));
  for (const [name, file] of Object.entries(typeof bin === 'string' ? { lattice: bin } : bin)) {
    const link = join(modules, '.bin', name);
    if (existsSync(link)) continue;
    try {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(relative(dirname(link), join(cli, file)), link);
    } catch (error) {
      // Another start has just made it.
      if (error.code !== 'EEXIST') throw error;
    }
  }
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** One line while it runs; all it printed if it fails, which ends this process with its status. */
async function runStep(title, command, args) {
  const tty = process.stderr.isTTY;
  const from = performance.now();
  process.stderr.write(tty ? `${title} ...` : `${title} ...\n`);
  const { code, output } = await capture(command, args);
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  if (code === 0) {
    process.stderr.write(`${tty ? '\r\u001b[K' : ''}${title}: done in ${seconds} s\n`);
    return;
  }
  process.stderr.write(
    `${tty ? '\n' : ''}${output}\n${title} failed after ${seconds} s (${[command, ...args].join(' ')}).\n`,
  );
  process.exit(code ?? 1);
}

/** Runs a command to its end, everything it prints in one text. */
export function capture(command, args, env = process.env) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.once('error', (error) => done({ code: 127, output: error.message }));
    child.once('close', (code) => done({ code, output: Buffer.concat(chunks).toString('utf8').trimEnd() }));
  });
}
