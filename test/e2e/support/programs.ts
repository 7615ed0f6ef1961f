import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '../../support/eventually';

export const root = resolve(__dirname, '..', '..', '..');

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Everything it has printed so far. */
  output(): string;
  /** Waits until it has printed the text; fails when it ends without. */
  prints(text: string | RegExp, limitMs?: number): Promise<void>;
  /** To the whole group, as a terminal and `kill -9 -PGID` do. */
  signalGroup(signal: NodeJS.Signals): void;
}

/** Every program that a spec file has started, to be ended with it. */
const started = new Set<Program>();

/** Starts a program in a process group of its own, in the repository. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Program {
  const child = spawn(command, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (printed[stream] += text));
  }
  let over = false;
  const ended = endOf(child).then((how) => {
    over = true;
    started.delete(program);
    return { ...how, ...printed };
  });
  const output = (): string => printed.stdout + printed.stderr;
  const program: Program = {
    pid: child.pid ?? NaN,
    ended,
    output,
    async prints(text, limitMs = 60_000) {
      const isThere = (): boolean => (typeof text === 'string' ? output().includes(text) : text.test(output()));
      await eventually(`output ${String(text)}`, () => isThere() || over, limitMs).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${output()}`);
      });
      if (!isThere()) throw new Error(`it ended without printing ${String(text)}:\n${output()}`);
    },
    signalGroup(signal) {
      try {
        process.kill(-(child.pid ?? NaN), signal);
      } catch {
        // It has ended.
      }
    },
  };
  started.add(program);
  return program;
}

/** Runs a program to its end. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  limitMs = 60_000,
): Promise<Ended> {
  const program = start(command, args, env);
  const late = setTimeout(() => program.signalGroup('SIGKILL'), limitMs);
  const ended = await program.ended;
  clearTimeout(late);
  return ended;
}

/** Ends what a spec file has left running: politely, then by force. */
export async function endPrograms(): Promise<void> {
  const left = [...started];
  for (const program of left) program.signalGroup('SIGTERM');
  const late = setTimeout(() => left.forEach((program) => program.signalGroup('SIGKILL')), 25_000);
  await Promise.all(left.map(({ ended }) => ended));
  clearTimeout(late);
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** The environment of a user who has nothing set for Lattice, with `more`. */
export function cleanEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(LATTICE_|npm_|REDIS_URL$|DATABASE_URL$|PORT$|HOST$|NODE_ENV$|NODE_OPTIONS$|JEST_|FORCE_COLOR$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

/** The built command line. */
export function lattice(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): readonly [string, readonly string[], NodeJS.ProcessEnv] {
  const program = join(root, 'libs', 'cli', 'bin', 'lattice.js');
  if (!existsSync(join(root, 'apps', 'api', 'dist', 'main.js'))) {
    throw new Error('These tests run what is built: use `npm test`, or `npm run build` first.');
  }
  return [process.execPath, [program, ...args], env];
}

/** Pids of living processes whose command line or environment holds the text: what a home has left running. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const files = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${name}/${file}`, 'latin1'));
      // One that gives itself a title may write over both.
      const words = [...files, readlinkSync(`/proc/${name}/cwd`)];
      return words.some((word) => word.includes(text)) ? [Number(name)] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
