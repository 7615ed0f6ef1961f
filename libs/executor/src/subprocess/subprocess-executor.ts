import { spawn, type ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { LatticeError, taskError } from '@lattice/contracts';
import { RunningHandle, SettledHandle, within } from '../handle';
import { createLogPipe, pumpInto, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown } from '../outcome';
import { stampOf, type Owner } from '../owner';
import type { CodeProgram, Execution, Executor, Handle, Outcome } from '../port';
import { armTimeout, createStop, outcomeOfStop, type Stop } from '../stop';
import { messageOf } from '../thrown';
import { openWorkspace, type Workspace } from '../workspace';
import { commandOf, environmentOf, type Command } from './command';
import { createGuardian, type Guardian } from './guardian';
import { endTree, killTree } from './kill-tree';
import { createProcessTable, type ProcessTable } from './process-table';
import { createTools, type Tools } from './tools';
import { createWatchdog, type Watchdog } from './watchdog';

export interface SubprocessOptions {
  owner: Owner;
  workRoot: string;
  /** PATH of the tasks. */
  searchPath: string;
  /** Command that starts Python 3. */
  python: string;
}

interface Machinery {
  options: SubprocessOptions;
  tools: Tools;
  table: ProcessTable;
  watchdog: Watchdog;
  guardian: Guardian;
}

type CodeExecution = Execution & CodeProgram;

/** Tasks yield the processor to the worker, whose locks must be renewed in time. */
const TASK_NICENESS = 5;
/** A killed process that does not go within this time is stuck in the kernel; it is reported all the same. */
const EXIT_LIMIT_MS = 1_000;
/** How long a slow log sink may hold the outcome back: after a stop, and after an end of its own. */
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/** Level `subprocess`: code in a process group of its own, without the worker's environment, within limits. No isolation of files or network. */
export function createSubprocessExecutor(options: SubprocessOptions): Executor {
  const table = createProcessTable();
  const machinery: Machinery = {
    options,
    tools: createTools(options.python),
    table,
    watchdog: createWatchdog(table),
    guardian: createGuardian(stampOf(options.owner)),
  };
  const running = new Set<Handle>();
  let count = 0;

  return {
    level: 'subprocess',
    submit(execution) {
      if (execution.uses !== 'code') return new SettledHandle(outcomeOfThrown(wrongLevel(execution)));
      const stop = createStop();
      const token = `${stampOf(options.owner)}~${++count}`;
      const result = run({ machinery, execution, token, stop }).catch(outcomeOfThrown);
      const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
      machinery.guardian.close();
    },
  };
}

interface Job {
  machinery: Machinery;
  execution: CodeExecution;
  token: string;
  stop: Stop;
}

async function run(job: Job): Promise<Outcome> {
  const { machinery, execution, token, stop } = job;
  const command = await commandOf(execution, execution.limits, machinery.tools);
  if (stop.cause !== undefined) return outcomeOfStop(stop.cause);
  const workspace = openWorkspace({ root: machinery.options.workRoot, token, execution, shared: false });
  try {
    return await runProcess(job, workspace, command);
  } finally {
    await workspace.remove();
  }
}

async function runProcess(job: Job, workspace: Workspace, command: Command): Promise<Outcome> {
  const { machinery, execution, token, stop } = job;
  const { limits } = execution;
  const { table, guardian, watchdog } = machinery;
  const log = createLogPipe(
    limits.logBytes,
    (chunk) => execution.onLog(chunk),
    () => execution.onAlive?.(),
  );
  const child = startProcess(job, workspace, command);
  const exit = exitOf(child);
  const closed = attachLog(child, log);
  const leader = child.pid;
  if (leader === undefined) return exit.then(() => spawnFailed(command), outcomeOfSpawnError);
  guardian.began(leader);
  const tree = table.track(token, leader);
  const unwatch = watchdog.watch(tree, limits, (error) => stop.request({ kind: 'failed', error, atOnce: true }));
  const disarm = armTimeout(stop, limits);
  try {
    await Promise.race([exit, stop.requested]);
    const { cause } = stop;
    if (cause === undefined) {
      await killTree(table, tree);
    } else {
      const graceMs = cause.kind === 'failed' && cause.atOnce ? 0 : limits.graceMs;
      await endTree({ table, tree, graceMs, leaderGone: exit });
    }
    disarm();
    await within(exit, EXIT_LIMIT_MS);
    await drain(log, closed, cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS);
    if (cause !== undefined) return outcomeOfStop(cause);
    return await outcomeOfExit(
      { ...(await exit), oomKilled: false, stderrTail: log.stderrTail() },
      execution,
      workspace,
    );
  } finally {
    disarm();
    unwatch();
    table.untrack(tree);
    guardian.ended(leader);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

function startProcess(job: Job, workspace: Workspace, command: Command): ChildProcess {
  const { execution, token, machinery } = job;
  const child = spawn(command.file, command.args, {
    cwd: workspace.home,
    env: environmentOf(execution, workspace, token, machinery.options.searchPath),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session and process group of its own, led by the child.
    detached: true,
  });
  if (child.pid !== undefined) lowerPriority(child.pid);
  return child;
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Resolves when both streams have been read to their end. */
function attachLog(child: ChildProcess, log: LogPipe): Promise<void> {
  if (child.stdout !== null) pumpInto(log, 'stdout', child.stdout);
  if (child.stderr !== null) pumpInto(log, 'stderr', child.stderr);
  return new Promise((resolve) => child.once('close', () => resolve()));
}

async function drain(log: LogPipe, closed: Promise<void>, limitMs: number): Promise<void> {
  await within(
    closed.then(() => log.end()),
    limitMs,
  );
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, TASK_NICENESS);
  } catch {
    // It has ended already, or the worker itself runs at a lower priority.
  }
}

function spawnFailed(command: Command): Outcome {
  return { status: 'failed', error: taskError('sandbox_failed', `${command.file} could not be started`) };
}

/** Too many processes, no memory, a program removed meanwhile: of this machine and this moment, so worth another attempt. */
function outcomeOfSpawnError(error: unknown): Outcome {
  const message = `the process could not be started: ${messageOf(error)}`;
  return { status: 'failed', error: taskError('sandbox_failed', message, { retryable: true }) };
}

function wrongLevel(execution: Execution): LatticeError {
  return new LatticeError('sandbox_failed', `level subprocess runs code, not ${execution.uses}`);
}
