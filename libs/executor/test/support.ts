import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Language } from '@lattice/contracts';
import { createControlGroups } from '../src/control-groups/control-groups';
import type { ArtifactKeeper, GivenFile } from '../src/artifacts/port';
import { thisOwner } from '../src/owner';
import type { CodeProgram, Execution, ExecutionLimits, HandlerProgram, LogChunk, Outcome } from '../src/port';

export const MEBIBYTE = 1024 * 1024;

interface Common {
  id: string;
  input: unknown;
  env: Record<string, string>;
  limits: ExecutionLimits;
  onLog: (chunk: LogChunk) => void | Promise<void>;
  artifacts?: ArtifactKeeper;
  files?: readonly GivenFile[];
}

export interface Overrides {
  input?: unknown;
  env?: Record<string, string>;
  limits?: Partial<ExecutionLimits>;
  onLog?: (chunk: LogChunk) => void | Promise<void>;
  artifacts?: ArtifactKeeper;
  files?: readonly GivenFile[];
}

let count = 0;

export function common(overrides: Overrides = {}): Common {
  return {
    id: `run.0.task.${++count}`,
    input: overrides.input ?? null,
    env: overrides.env ?? {},
    limits: { graceMs: 300, outputBytes: MEBIBYTE, logBytes: MEBIBYTE, timeoutMs: 20_000, ...overrides.limits },
    onLog: overrides.onLog ?? (() => undefined),
    ...(overrides.artifacts === undefined ? {} : { artifacts: overrides.artifacts }),
    ...(overrides.files === undefined ? {} : { files: overrides.files }),
  };
}

export function code(language: Language, source: string, overrides?: Overrides): Execution & CodeProgram {
  return { ...common(overrides), uses: 'code', code: { language, source } };
}

export function handler(name: string, overrides?: Overrides): Execution & HandlerProgram {
  return { ...common(overrides), uses: `handler/${name}` };
}

/** The code of the error of an outcome that must be a failure. */
export function errorOf(outcome: Outcome): {
  code: string;
  message: string;
  retryable: boolean;
  details: Record<string, unknown>;
} {
  if (outcome.status !== 'failed') throw new Error(`not failed: ${JSON.stringify(outcome)}`);
  return { ...outcome.error, details: outcome.error.details ?? {} };
}

export function outputOf(outcome: Outcome): unknown {
  if (outcome.status !== 'completed') throw new Error(`not completed: ${JSON.stringify(outcome)}`);
  return JSON.parse(outcome.outputJson);
}

/** Collects a log. */
export function collector(): {
  onLog: (chunk: LogChunk) => void;
  text: (stream?: string) => string;
  chunks: LogChunk[];
} {
  const chunks: LogChunk[] = [];
  return {
    chunks,
    onLog: (chunk) => void chunks.push(chunk),
    text: (stream) =>
      chunks
        .filter((chunk) => stream === undefined || chunk.stream === stream)
        .map((chunk) => chunk.text)
        .join(''),
  };
}

/** Waits until the function gives something true; fails after the limit. */
export async function eventually<T>(look: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not so within ${limitMs} ms: ${look.toString()}`);
    await sleep(20);
  }
}

export function newFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'lattice-executor-test-'));
}

/** Seconds that nobody but this process gives to `sleep`, so that its own sleepers are known among all of the machine. */
export function ownSeconds(kind: number): number {
  return kind * 10_000_000 + process.pid;
}

/** Pids of living sleepers of {@link ownSeconds}. */
export function sleepersOf(seconds: number): number[] {
  return processesWith(`sleep\x00${seconds}\x00`);
}

/** Pids of living processes whose environment or command line has the text. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const words = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${name}/${file}`, 'latin1'));
      return words.some((word) => word.includes(text)) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Whether a Docker engine answers. With LATTICE_TEST_DOCKER=required its absence is a failure. */
export function dockerAnswers(): boolean {
  const socket = '/var/run/docker.sock';
  const answers = existsSync(socket) && spawnSync('docker', ['version'], { timeout: 10_000 }).status === 0;
  if (!answers && process.env['LATTICE_TEST_DOCKER'] === 'required') {
    throw new Error(
      'LATTICE_TEST_DOCKER=required, but no Docker engine answers: start dockerd and run docker/make-images.sh',
    );
  }
  return answers;
}

/** Why no control groups can be made here; undefined when they can. With LATTICE_TEST_GROUPS=required a reason is a failure. */
export function controlGroupsWork(): string | undefined {
  const groups = createControlGroups(thisOwner(`probe-${process.pid}`));
  const holding = groups.holding();
  void groups.close();
  if (!('reason' in holding)) return undefined;
  if (process.env['LATTICE_TEST_GROUPS'] === 'required') {
    throw new Error(`LATTICE_TEST_GROUPS=required, but no control groups can be made: ${holding.reason}`);
  }
  return holding.reason;
}

/** Whether sandboxes can be made here. With LATTICE_TEST_BWRAP=required that they can't is a failure. */
export function bubblewrapWorks(): boolean {
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const args = ['--unshare-all', '--ro-bind', '/', '/', 'true'];
  const works = spawnSync('bwrap', args, { timeout: 10_000, cwd: '/', ...nobody }).status === 0;
  if (!works && process.env['LATTICE_TEST_BWRAP'] === 'required') {
    throw new Error(
      'LATTICE_TEST_BWRAP=required, but bubblewrap makes no sandbox: apt-get install bubblewrap, allow user namespaces',
    );
  }
  return works;
}
