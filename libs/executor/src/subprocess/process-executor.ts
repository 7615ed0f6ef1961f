import { LatticeError, taskError, type TaskError } from '@lattice/contracts';
import { giveFilesOf, withArtifacts } from '../artifacts/keep';
import type { ControlGroups } from '../control-groups/control-groups';
import { RunningHandle, SettledHandle, within } from '../handle';
import { logOf, pumpInto, type LogPipe } from '../log-pipe';
import { outcomeOfExit, outcomeOfThrown, signalOfCode } from '../outcome';
import { boundsOf, watchOutput } from '../output-watch';
import { nextToken, stampOf, type Owner } from '../owner';
import type { Execution, Executor, Handle, Outcome, ProcessExecution } from '../port';
import { mustHaveInterpreter, scriptOf } from '../script/script-words';
import { armTimeout, createStop, graceOf, outcomeOfStop, type Stop } from '../stop';
import { messageOf } from '../thrown';
import { Budget } from '../warm/budget';
import { GO, HELD_BYTES, isHoldable, startFileOf } from '../warm/hold';
import { Pool } from '../warm/pool';
import { bytesOf, isWarmable, keyOf, MOST_OF_A_SHAPE, orderOf, wasBegun } from '../warm/warmable';
import { taskEnvironment } from './command';
import { createGuardian, type Guardian } from './guardian';
import { startInterpreter, type ExitStatus, type Interpreter } from './interpreter';
import { endTree, killTree } from './kill-tree';
import { shapeOf, type Launcher, type Prepared, type Shape, type Start } from './launcher';
import { createProcessTable, type ProcessTable } from './process-table';
import { createWatchdog, type Watchdog } from './watchdog';

export interface ProcessOptions {
  owner: Owner;
  launcher: Launcher;
  groups: ControlGroups;
  /** The outcome of a wrapper that ended without having run the task; undefined when it did run it. */
  wrapperFault?: (interpreter: Interpreter, stderrTail: string) => Outcome | undefined;
  /** Memory for interpreters that were started ahead of their tasks; 0: none are. */
  warm: Budget;
  /** Whether rooms are kept ready. */
  rooms: boolean;
}

interface Machinery {
  options: ProcessOptions;
  table: ProcessTable;
  watchdog: Watchdog;
  guardian: Guardian;
  /** Interpreters that wait for their task. */
  interpreters: Pool<Interpreter>;
  /** All that an interpreter needs, without one. */
  rooms: Pool<Interpreter>;
}

interface Job {
  machinery: Machinery;
  execution: ProcessExecution;
  token: string;
  stop: Stop;
}

/** Of memory, for rooms of all shapes. */
const MOST_OF_ROOMS = 16 * HELD_BYTES;
/** A killed process that does not go within this time is stuck in the kernel; it is reported all the same. */
const EXIT_LIMIT_MS = 1_000;
/** How long a slow log sink may hold the outcome back: after a stop, and after an end of its own. */
const LOG_STOPPED_MS = 500;
const LOG_ENDED_MS = 10_000;

/** Code and scripts in processes of this machine, started as the launcher of the level says: in a process group of its own, without the worker's environment, within limits. */
export function createProcessExecutor(options: ProcessOptions): Executor {
  const { launcher } = options;
  const table = createProcessTable();
  const ofPool = {
    mostOfAKey: MOST_OF_A_SHAPE,
    discard: (interpreter: Interpreter) => discard(interpreter, table),
  };
  const machinery: Machinery = {
    options,
    table,
    watchdog: createWatchdog(table),
    guardian: createGuardian(stampOf(options.owner), () => options.groups.folders()),
    interpreters: new Pool({ ...ofPool, budget: options.warm, bytesOf }),
    rooms: new Pool({ ...ofPool, budget: new Budget(options.rooms ? MOST_OF_ROOMS : 0), bytesOf: () => HELD_BYTES }),
  };
  const running = new Set<Handle>();

  return {
    level: launcher.level,
    submit(execution) {
      if (execution.uses !== 'code' && execution.uses !== 'script')
        return new SettledHandle(outcomeOfThrown(wrongLevel(launcher, execution)));
      const stop = createStop();
      const token = nextToken(options.owner);
      const result = run({ machinery, execution, token, stop }).catch(outcomeOfThrown);
      const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
      running.add(handle);
      void handle.result().then(() => running.delete(handle));
      return handle;
    },
    async close() {
      await Promise.all([
        machinery.interpreters.close(),
        machinery.rooms.close(),
        ...[...running].map(async (handle) => handle.cancel('the executor is closing')),
      ]);
      machinery.guardian.close();
      await launcher.close();
    },
  };
}

async function run(job: Job): Promise<Outcome> {
  const { machinery, execution, stop } = job;
  const script = await scriptOf(execution);
  if (script !== undefined) mustHaveInterpreter(script);
  const shape = shapeOf(execution, script?.folder);
  const prepared = await machinery.options.launcher.prepare(shape);
  if (stop.cause !== undefined) return outcomeOfStop(stop.cause);
  if (script !== undefined) return runCold(job, prepared, { held: false, script });
  const key = keyOf(shape);
  const { interpreters, rooms } = machinery;
  const ready = isWarmable(execution)
    ? interpreters.take(key, () => startAhead(machinery, { prepared, shape, held: false }))
    : undefined;
  const outcome = ready === undefined ? undefined : await runAhead(job, ready, orderInterpreter);
  if (outcome !== undefined) return outcome;
  const room = isHoldable(execution)
    ? rooms.take(key, () => startAhead(machinery, { prepared, shape, held: true }))
    : undefined;
  const inRoom = room ?? (await ownRoom(job, prepared, shape));
  return (
    (inRoom === undefined ? undefined : await runAhead(job, inRoom, letGo)) ??
    (await runCold(job, prepared, { held: false }))
  );
}

/** Where the kernel holds tasks to limits nothing of one runs before it is in its group: one that finds no room gets a room made for it. */
async function ownRoom(
  { machinery, execution }: Job,
  prepared: Prepared,
  shape: Shape,
): Promise<Interpreter | undefined> {
  if (!isHoldable(execution) || 'reason' in machinery.options.groups.holding()) return undefined;
  // What can't be started is told by the cold start.
  return startAhead(machinery, { prepared, shape, held: true }).catch(() => undefined);
}

type Tell = (interpreter: Interpreter, env: Record<string, string>) => void;

function orderInterpreter(interpreter: Interpreter, env: Record<string, string>): void {
  interpreter.order(orderOf(env));
}

function letGo(interpreter: Interpreter, env: Record<string, string>): void {
  interpreter.workspace.giveStart(startFileOf(env));
  interpreter.order(GO);
}

/** Undefined when what was started ahead had ended before it took the task. */
async function runAhead(job: Job, interpreter: Interpreter, tell: Tell): Promise<Outcome | undefined> {
  const { execution, machinery } = job;
  try {
    await giveFilesOf(job, interpreter.workspace);
    interpreter.workspace.give(execution);
    interpreter.group?.limitCpu(execution.limits.cpu);
    tell(interpreter, taskEnvironment(execution, interpreter.places, interpreter.token));
    const outcome = await follow(job, interpreter);
    const taken = job.stop.cause !== undefined || outcome.status !== 'failed' || wasBegun(interpreter.workspace);
    return taken ? outcome : undefined;
  } finally {
    await discard(interpreter, machinery.table);
  }
}

async function runCold(job: Job, prepared: Prepared, start: Start): Promise<Outcome> {
  const { machinery, execution, token } = job;
  const workspace = prepared.openWorkspace(token);
  const group = machinery.options.groups.open(token, execution.limits);
  try {
    await giveFilesOf(job, workspace);
    workspace.give(execution);
    const { table, guardian, options } = machinery;
    const { launcher } = options;
    const env = (places: Interpreter['places']) => taskEnvironment(execution, places, token);
    const leases = execution.gpus?.fds ?? [];
    const own = { env, leases, start, group };
    group?.limitCpu(execution.limits.cpu);
    const started = await startInterpreter({ launcher, prepared, workspace, token, table, guardian, ...own });
    if ('reason' in started) return outcomeOfSpawnError(started.reason);
    try {
      return await follow(job, started);
    } finally {
      started.release();
    }
  } finally {
    await group?.remove();
    await workspace.remove();
  }
}

/** Starts an interpreter, or holds its start, in its sandbox, which is sealed already: it waits for its task. */
async function startAhead(
  machinery: Machinery,
  { prepared, shape, held }: { prepared: Prepared; shape: Shape; held: boolean },
): Promise<Interpreter> {
  const { table, guardian, options } = machinery;
  const token = nextToken(options.owner);
  const workspace = prepared.openWorkspace(token);
  const { launcher, groups } = options;
  const group = groups.open(token, shape);
  const own = { leases: [], env: undefined, start: { held }, group };
  const started = await startInterpreter({ launcher, prepared, workspace, token, table, guardian, ...own });
  if ('reason' in started) {
    await group?.remove();
    await workspace.remove();
    throw new Error(`could not be started ahead: ${messageOf(started.reason)}`);
  }
  await started.grouped;
  void started.exit.then(() => (held ? machinery.rooms : machinery.interpreters).lost(started));
  return started;
}

/** Ends what is left of an interpreter, and removes its files. */
async function discard(interpreter: Interpreter, table: ProcessTable): Promise<void> {
  await killTree(table, interpreter.tree);
  interpreter.release();
  await interpreter.group?.remove();
  await interpreter.workspace.remove();
}

/** From a running task to its outcome. Nothing of it is left when this resolves. */
async function follow(job: Job, interpreter: Interpreter): Promise<Outcome> {
  const { machinery, execution, stop } = job;
  const { limits } = execution;
  const { table, watchdog, options } = machinery;
  const { tree, exit, closed, workspace, group } = interpreter;
  const log = logOf(execution);
  attachLog(interpreter, log);
  const exceeded = (error: TaskError): void => stop.request({ kind: 'failed', error, atOnce: true });
  const { wrapped, memoryFolders } = options.launcher;
  const unwatch = watchdog.watch({ tree, limits, memoryFolders, group }, exceeded);
  const unwatchOutput = wrapped
    ? watchOutput(boundsOf(execution, workspace), exceeded, () => tree.members.keys())
    : undefined;
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
        wrapped,
      });
    }
    disarm();
    const oomKilled = group?.ranOutOfMemory() ?? false;
    await group?.remove();
    await within(exit, EXIT_LIMIT_MS);
    await drain(log, closed, cause === undefined ? LOG_ENDED_MS : LOG_STOPPED_MS);
    if (cause !== undefined) return outcomeOfStop(cause);
    const stderrTail = log.stderrTail();
    // A wrapper whose task was ended by the kernel may have been ended with it.
    const fault = oomKilled ? undefined : options.wrapperFault?.(interpreter, stderrTail);
    if (fault !== undefined) return fault;
    const status = options.launcher.wrapped ? unwrapped(await exit) : await exit;
    const outcome = await outcomeOfExit({ ...status, oomKilled, stderrTail }, execution, workspace);
    return await withArtifacts(outcome, { execution, workspace, stop });
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
  return new LatticeError('sandbox_failed', `level ${launcher.level} runs code and scripts, not ${execution.uses}`);
}
