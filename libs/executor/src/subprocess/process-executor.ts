import { LatticeError, taskError, type TaskError } from '@lattice/contracts';
import { RunningHandle, SettledHandle, within } from '../handle';
import { logOf, pumpInto, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown, signalOfCode } from '../outcome';
import { watchOutput } from '../output-watch';
import { nextToken, stampOf, type Owner } from '../owner';
import type { CodeProgram, Execution, Executor, Handle, Outcome } from '../port';
import { armTimeout, createStop, graceOf, outcomeOfStop, type Stop } from '../stop';
import { messageOf } from '../thrown';
import { taskEnvironment } from './command';
import { createGuardian, type Guardian } from './guardian';
import { startInterpreter, type ExitStatus, type Interpreter } from './interpreter';
import { endTree, killTree } from './kill-tree';
import { shapeOf, type Launcher, type Prepared } from './launcher';
import { createProcessTable, type ProcessTable } from './process-table';
import { createWatchdog, type Watchdog } from './watchdog';

export interface ProcessOptions {
  owner: Owner;
  launcher: Launcher;
  /** The outcome of a wrapper that ended without having run the task; undefined when it did run it. */
  wrapperFault?: (interpreter: Interpreter, stderrTail: string) => Outcome | undefined;
}

interface Machinery {
  options: ProcessOptions;
  table: ProcessTable;
  watchdog: Watchdog;
  guardian: Guardian;
}

interface Job {
  machinery: Machinery;
  execution: CodeExecution;
  token: string;
  stop: Stop;
}

type CodeExecution = Execution & CodeProgram;

/** A killed process that does not go within this time is stuck in the kernel; it is reported all the same. */
const EXIT_LIMIT_MS = 1_000;
/** How long a slow log sink may hold the outcome back: after a stop, and after an end of its own. */
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/** Code in processes of this machine, started as the launcher of the level says: in a process group of its own, without the worker's environment, within limits. */
export function createProcessExecutor(options: ProcessOptions): Executor {
  const { launcher } = options;
  const table = createProcessTable();
  const machinery: Machinery = {
    options,
    table,
    watchdog: createWatchdog(table),
    guardian: createGuardian(stampOf(options.owner)),
  };
  const running = new Set<Handle>();

  return {
    level: launcher.level,
    submit(execution) {
      if (execution.uses !== 'code') return new SettledHandle(outcomeOfThrown(wrongLevel(launcher, execution)));
      const stop = createStop();
      const token = nextToken(options.owner);
      const result = run({ machinery, execution, token, stop }).catch(outcomeOfThrown);
      const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
      machinery.guardian.close();
      await launcher.close();
    },
  };
}

async function run(job: Job): Promise<Outcome> {
  const { machinery, execution, token, stop } = job;
  const prepared = await machinery.options.launcher.prepare(shapeOf(execution));
  if (stop.cause !== undefined) return outcomeOfStop(stop.cause);
  const workspace = prepared.openWorkspace(token);
  try {
    workspace.give(execution);
    return await runCold(job, prepared, workspace);
  } finally {
    await workspace.remove();
  }
}

async function runCold(job: Job, prepared: Prepared, workspace: Interpreter['workspace']): Promise<Outcome> {
  const { machinery, execution, token } = job;
  const { table, guardian, options } = machinery;
  const { launcher } = options;
  const env = (places: Interpreter['places']) => taskEnvironment(execution, places, token);
  const leases = execution.gpus?.fds ?? [];
  const started = await startInterpreter({ launcher, prepared, workspace, token, table, guardian, env, leases });
  if ('reason' in started) return outcomeOfSpawnError(started.reason);
  try {
    return await follow(job, started);
  } finally {
    started.release();
  }
}

/** From a running task to its outcome. Nothing of it is left when this resolves. */
async function follow(job: Job, interpreter: Interpreter): Promise<Outcome> {
  const { machinery, execution, stop } = job;
  const { limits } = execution;
  const { table, watchdog, options } = machinery;
  const { tree, exit, closed, workspace } = interpreter;
  const log = logOf(execution);
  attachLog(interpreter, log);
  const exceeded = (error: TaskError): void => stop.request({ kind: 'failed', error, atOnce: true });
  const { wrapped } = options.launcher;
  const tempFolder = wrapped ? interpreter.places.temp : undefined;
  const unwatch = watchdog.watch({ tree, limits, tempFolder }, exceeded);
  const unwatchOutput = wrapped ? watchOutput(workspace.outputFolder, limits, exceeded) : undefined;
  const disarm = armTimeout(stop, limits);
  try {
    await Promise.race([exit, stop.requested]);
    const { cause } = stop;
    if (cause === undefined) {
      await killTree(table, tree);
    } else {
      await endTree({
        table,
        tree,
        graceMs: graceOf(cause, limits),
        leaderGone: exit,
        wrapped: options.launcher.wrapped,
      });
    }
    disarm();
    await within(exit, EXIT_LIMIT_MS);
    await drain(log, closed, cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS);
    if (cause !== undefined) return outcomeOfStop(cause);
    const stderrTail = log.stderrTail();
    const fault = options.wrapperFault?.(interpreter, stderrTail);
    if (fault !== undefined) return fault;
    const status = options.launcher.wrapped ? unwrapped(await exit) : await exit;
    return await outcomeOfExit({ ...status, oomKilled: false, stderrTail }, execution, workspace);
  } finally {
    disarm();
    unwatch();
    unwatchOutput?.();
  }
}

/** A wrapper tells the signal that ended the task by a code of 128 and its number. */
function unwrapped({ code, signal }: ExitStatus): ExitStatus {
  return { code, signal: signal ?? (code === null ? null : signalOfCode(code)) };
}

function attachLog({ child }: Interpreter, log: LogPipe): void {
  if (child.stdout !== null) pumpInto(log, 'stdout', child.stdout);
  if (child.stderr !== null) pumpInto(log, 'stderr', child.stderr);
}

async function drain(log: LogPipe, closed: Promise<void>, limitMs: number): Promise<void> {
  await within(
    closed.then(() => log.end()),
    limitMs,
  );
}

/** Too many processes, no memory, a program removed meanwhile: of this machine and this moment, so worth another attempt. */
function outcomeOfSpawnError(error: unknown): Outcome {
  const message = `the process could not be started: ${messageOf(error)}`;
  return { status: 'failed', error: taskError('sandbox_failed', message, { retryable: true }) };
}

function wrongLevel(launcher: Launcher, execution: Execution): LatticeError {
  return new LatticeError('sandbox_failed', `level ${launcher.level} runs code, not ${execution.uses}`);
}
