/**
 * `npm test`: sets up, starts Redis and Postgres of its own (unless REDIS_URL and DATABASE_URL are set), finds or unpacks a
 * Python, runs Jest, and ends with one line of counts. Arguments after `npm test --` go to Jest.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

await ensureReady();
/** For Jest and its workers. Tests make much that is thrown away at once: with more room for it, it is collected less often. */
const MEMORY = ['--max-semi-space-size=64'];
const scratch = mkdtempSync(join(tmpdir(), 'lattice-test-'));
// Tasks of level seccomp run as another user: their folders are within.
chmodSync(scratch, 0o711);
// A group of its own, so that a signal ends Jest's workers too. At a terminal Ctrl-C does, and `--watch` needs its keys.
const ownGroup = !process.stdin.isTTY;
let jest;
let interrupted = false;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    interrupted = true;
    interruptJest(name);
  });
}
endWithNpm();
process.exitCode = await main().finally(() => rmSync(scratch, { recursive: true, force: true }));

async function main() {
  const { pathWithPython, startServices } = await import(
    pathToFileURL(join(root, 'libs', 'embedded', 'dist', 'index.js')).href
  );
  const log = (line) => process.stderr.write(`${line}\n`);
  const home = join(scratch, 'services');
  let services, path;
  try {
    path = await pathWithPython({ home, log });
    services = await startServices({ home, fsync: false, throwAway: true, log });
  } catch (error) {
    log(error.message);
    return 1;
  }
  try {
    return interrupted ? 130 : await runJest(services, path);
  } finally {
    await services.stop();
    console.log(countsLine());
  }
}

/** Its exit status; 1 when a signal ended it. */
function runJest({ redisUrl, databaseUrl }, path) {
  const program = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const reporters = ['default', join(root, 'scripts', 'jest-counts.cjs')].map((name) => `--reporters=${name}`);
  // What a killed test leaves behind goes with it.
  const temp = join(scratch, 'tmp');
  mkdirSync(temp);
  const env = {
    ...process.env,
    PATH: path,
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    LATTICE_TEST_COUNTS: countsFile(),
    TMPDIR: temp,
  };
  return new Promise((resolve) => {
    // The reporters come last: Jest would take a path after them for another reporter.
    const args = [...MEMORY, program, ...process.argv.slice(2), '-c', join(root, 'jest.config.cjs'), ...reporters];
    jest = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit', detached: ownGroup });
    jest.once('error', () => resolve(1));
    jest.once('close', (code) => resolve(code ?? 1));
  });
}

function interruptJest(signal) {
  if (jest?.pid === undefined || jest.exitCode !== null) return;
  process.kill(ownGroup ? -jest.pid : jest.pid, signal);
}

function countsFile() {
  return join(scratch, 'counts.json');
}

function countsLine() {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    counts = JSON.parse(readFileSync(countsFile(), 'utf8'));
  } catch {
    // Jest ended before it had run anything: nothing passed.
  }
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
