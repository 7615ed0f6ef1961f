import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { LatticeError } from '@lattice/contracts';
import type { PlannedScript } from './plan';

/** Milliseconds between the request to end and the kill. */
const GRACE_MS = 5_000;
/** A process that left its group may hold the output open; it is not waited for longer. */
const DRAIN_MS = 500;

export interface PerformOptions {
  readonly folder: string;
  readonly script: PlannedScript;
  /** Aborted by timeout and cancel: the whole process group is ended. */
  readonly signal: AbortSignal;
  /** All that it writes, as it comes. */
  readonly onOutput: (bytes: Buffer) => void;
}

const running = new Set<number>();
process.on('exit', () => {
  for (const group of running) killGroup(group, 'SIGKILL');
});

/**
 * Runs a script in its folder, in a process group of its own, and gives its exit code. When it returns nothing of the group is left.
 * Throws LatticeError: `task_failed` with `details.exitCode` for an exit code that is not allowed, `killed`, `cancelled`.
 */
export async function performScript({ folder, script, signal, onOutput }: PerformOptions): Promise<number> {
  if (signal.aborted) throw new LatticeError('cancelled', 'stopped before it began');
  const [file = '', ...before] = [...script.interpreter, join(folder, script.path)];
  const child = spawn(file, [...before, ...script.args], {
    cwd: folder,
    env: { ...process.env, ...script.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdout.on('data', onOutput);
  child.stderr.on('data', onOutput);
  const group = child.pid;
  if (group !== undefined) running.add(group);
  const stop = stopOn(signal, group);
  try {
    const { code, signal: killedBy } = await exitOf(child, script);
    if (group !== undefined) killGroup(group, 'SIGKILL');
    await drained(child);
    if (signal.aborted) throw new LatticeError('cancelled', 'stopped');
    if (code === null) throw new LatticeError('killed', `ended by ${killedBy ?? 'a signal'}`);
    if (script.allowExit.includes(code)) return code;
    throw new LatticeError('task_failed', `exited with ${code} (allowed: ${script.allowExit.join(', ')})`, {
      details: { exitCode: code },
    });
  } finally {
    stop();
    if (group !== undefined) running.delete(group);
  }
}

function stopOn(signal: AbortSignal, group: number | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (group === undefined) return;
    killGroup(group, 'SIGTERM');
    timer = setTimeout(() => killGroup(group, 'SIGKILL'), GRACE_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  };
}

function exitOf(
  child: ChildProcess,
  script: PlannedScript,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(error, script)));
  });
}

function notStarted(error: NodeJS.ErrnoException, { interpreter }: PlannedScript): LatticeError {
  const why: Record<string, string> = {
    ENOEXEC: 'it has no #! line: begin it with one such as #!/bin/sh, or set its interpreter',
    ENOENT:
      interpreter[0] === undefined
        ? 'the program of its #! line is not installed'
        : `its interpreter ${interpreter[0]} is not installed`,
    EACCES: 'it may not be executed by this user: chmod +x, or a file system mounted with noexec',
  };
  const reason = why[error.code ?? ''] ?? error.message;
  return new LatticeError('language_unavailable', `could not be started: ${reason}`, { cause: error });
}

async function drained(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed);
  const closed = Promise.all(streams.map((stream) => new Promise((resolve) => stream?.once('close', resolve))));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
  await Promise.race([closed, late]);
  clearTimeout(timer);
  for (const stream of streams) stream?.destroy();
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nothing of it is left.
  }
}
