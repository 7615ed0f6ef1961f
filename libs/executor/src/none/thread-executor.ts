import path from 'node:path';
import { finished } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { LatticeError } from '@lattice/contracts';
import { giveFilesOf, withArtifacts } from '../artifacts/keep';
import { RunningHandle, within } from '../handle';
import { logOf, pumpInto, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown } from '../outcome';
import { nextToken, type Owner } from '../owner';
import type { Execution, Executor, Handle, Outcome } from '../port';
import { armTimeout, createStop, graceOf, outcomeOfStop, type Stop } from '../stop';
import { baseEnvironment, RUNNERS_FOLDER, taskEnvironment } from '../subprocess/command';
import { killMarked } from '../subprocess/reap-processes';
import { openWorkspace, type Workspace } from '../workspace';

export interface ThreadOptions {
  owner: Owner;
  workRoot: string;
  searchPath: string;
}

interface Job {
  options: ThreadOptions;
  execution: Execution;
  stop: Stop;
}

const RUNNER = path.join(RUNNERS_FOLDER, 'javascript.cjs');
const MEBIBYTE = 1024 * 1024;
/** How long a slow log sink may hold the outcome back: after a stop, and after an end of its own. */
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/**
 * Level `none` for JavaScript: a thread of the worker with an environment of its own, and nothing between it and the worker. It is asked
 * to end as a process is, by a SIGTERM that its runner makes of a message, and ended after the grace wherever it is; its
 * children go with it. Of limits it has those of time, of the heap, of log and output.
 */
export function createThreadExecutor(options: ThreadOptions): Executor {
  const running = new Set<Handle>();
  return {
    level: 'none',
    submit(execution) {
      const stop = createStop();
      const result = run({ options, execution, stop }).catch(outcomeOfThrown);
      const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
    },
  };
}

async function run(job: Job): Promise<Outcome> {
  const { options, execution, stop } = job;
  if (execution.uses !== 'code' || execution.code.language !== 'javascript')
    throw new LatticeError(
      'sandbox_failed',
      `level none runs JavaScript in the worker, not ${nameOf(execution)}: ask for subprocess, seccomp or docker`,
    );
  const token = nextToken(options.owner);
  const workspace = openWorkspace({ root: options.workRoot, token, language: 'javascript', audience: 'process' });
  try {
    await giveFilesOf(job, workspace);
    workspace.give(execution);
    if (stop.cause !== undefined) return outcomeOfStop(stop.cause);
    return await follow(job, workspace, startThread(job, workspace, token));
  } finally {
    killMarked((mark) => mark === token);
    await workspace.remove();
  }
}

function nameOf(execution: Execution): string {
  return execution.uses === 'code' ? execution.code.language : execution.uses;
}

function startThread({ options, execution }: Job, workspace: Workspace, token: string): Worker {
  const { memoryBytes } = execution.limits;
  return new Worker(RUNNER, {
    argv: ['--thread'],
    env: { ...baseEnvironment(workspace, options.searchPath), ...taskEnvironment(execution, workspace, token) },
    execArgv: [],
    stdout: true,
    stderr: true,
    ...(memoryBytes === undefined
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(memoryBytes / MEBIBYTE)) } }),
  });
}

/** From a running thread to its outcome. */
async function follow({ execution, stop }: Job, workspace: Workspace, thread: Worker): Promise<Outcome> {
  const log = logOf(execution);
  pumpInto(log, 'stdout', thread.stdout);
  pumpInto(log, 'stderr', thread.stderr);
  let fault: NodeJS.ErrnoException | undefined;
  thread.on('error', (error: Error) => (fault = error));
  const exit = new Promise<number>((resolve) => thread.once('exit', resolve));
  const disarm = armTimeout(stop, execution.limits);
  try {
    await Promise.race([exit, stop.requested]);
    const { cause } = stop;
    if (cause !== undefined) {
      const grace = graceOf(cause, execution.limits);
      if (grace > 0) thread.postMessage('SIGTERM');
      await within(exit, grace);
      await thread.terminate();
    }
    disarm();
    await drain(log, thread, cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS);
    if (cause !== undefined) return outcomeOfStop(cause);
    const oomKilled = fault?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (fault !== undefined && !oomKilled) throw fault;
    const ended = { code: await exit, signal: null, oomKilled, stderrTail: log.stderrTail() };
    const outcome = await outcomeOfExit(ended, execution, workspace);
    return await withArtifacts(outcome, { execution, workspace, stop });
  } finally {
    disarm();
  }
}

async function drain(log: LogPipe, { stdout, stderr }: Worker, limitMs: number): Promise<void> {
  const closed = Promise.allSettled([finished(stdout), finished(stderr)]);
  await within(
    closed.then(() => log.end()),
    limitMs,
  );
}
