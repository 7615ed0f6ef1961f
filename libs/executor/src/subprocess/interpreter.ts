import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { Readable } from 'node:stream';
import type { ControlGroup } from '../control-groups/control-group';
import { OWNER_VARIABLE } from '../owner';
import type { Places, Workspace } from '../workspace';
import type { Guardian } from './guardian';
import { highestInherited } from './inherited';
import type { Launch, Launcher, Prepared, Start } from './launcher';
import type { ProcessTable, ProcessTree } from './process-table';

/** Tasks yield the processor to the worker, whose locks must be renewed in time. */
const TASK_NICENESS = 5;
/** The file descriptor on which a wrapper reports. */
const STATUS_FD = 3;
const MAX_STATUS_CHARS = 16_384;

/** A process group that is, or wraps, an interpreter with a task. */
export interface Interpreter {
  readonly child: ChildProcess;
  readonly tree: ProcessTree;
  readonly workspace: Workspace;
  readonly places: Places;
  /** Rejects when the process could not be started. */
  readonly exit: Promise<ExitStatus>;
  /** Resolves when all its streams have been read to their end. */
  readonly closed: Promise<void>;
  readonly token: string;
  /** Undefined where the worker may make none. */
  readonly group: ControlGroup | undefined;
  /** Resolves when it is in its group. */
  readonly grouped: Promise<void>;
  /** Tells an interpreter that waits what to run: once. */
  order(line: string): void;
  /** What a wrapper has reported so far. */
  status(): string;
  /** Forgets a process that has ended. */
  release(): void;
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that could not be started at all, with the reason. */
export interface NotStarted {
  readonly file: string;
  readonly reason: unknown;
}

export interface StartOptions {
  launcher: Launcher;
  prepared: Prepared;
  workspace: Workspace;
  token: string;
  table: ProcessTable;
  guardian: Guardian;
  group: ControlGroup | undefined;
  /** Open files that hold what the task has of the worker, from the next file descriptor on; they stay open here. */
  leases: readonly number[];
  start: Start;
  /** What the task's own environment adds; undefined: the task is not known yet, and will be told by `order`. */
  env: ((places: Places) => Record<string, string>) | undefined;
}

/** Starts an interpreter in a session and process group of its own. */
export async function startInterpreter(options: StartOptions): Promise<Interpreter | NotStarted> {
  const { prepared, workspace, token, table, guardian, group } = options;
  const launch = prepared.launch(workspace, options.start);
  const child = spawnOf(options, launch, { ...launch.env, ...options.env?.(launch.places), [OWNER_VARIABLE]: token });
  const exit = exitOf(child);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const leader = child.pid;
  if (leader === undefined) {
    const reason = await exit.catch((error: unknown) => error);
    return { file: launch.file, reason };
  }
  exit.catch(() => undefined);
  // It may have ended: its exit says how.
  child.stdin?.on('error', () => undefined);
  guardian.began(leader);
  const grouped = group?.take(leader, () => child.exitCode === null && child.signalCode === null) ?? Promise.resolve();
  lowerPriority(leader);
  const tree = table.track(token, leader);
  return {
    child,
    tree,
    workspace,
    places: launch.places,
    token,
    group,
    grouped,
    order: (line) => void child.stdin?.end(line),
    exit,
    closed,
    status: readStatus(child),
    release() {
      table.untrack(tree);
      guardian.ended(leader);
      for (const stream of child.stdio) stream?.destroy();
    },
  };
}

function spawnOf(options: StartOptions, launch: Launch, env: Record<string, string>): ChildProcess {
  const nothing = highestInherited() === 0 ? undefined : openSync('/dev/null', 'r');
  try {
    return spawn(launch.file, launch.args, {
      cwd: launch.cwd,
      env,
      stdio: stdioOf(options, launch, nothing),
      detached: true,
      ...(launch.uid === undefined ? {} : { uid: launch.uid, gid: launch.uid }),
    });
  } finally {
    for (const handle of launch.handles) closeSync(handle);
    if (nothing !== undefined) closeSync(nothing);
  }
}

/** What the worker was given by its own parent is covered by /dev/null (`nothing`): a task must not inherit it. */
function stdioOf(options: StartOptions, launch: Launch, nothing: number | undefined): StdioOptions {
  const { launcher, env, leases } = options;
  const input = env === undefined ? 'pipe' : 'ignore';
  const own = [input, 'pipe', 'pipe', launcher.wrapped ? 'pipe' : 'ignore', ...launch.handles, ...leases] as const;
  if (nothing === undefined) return [...own];
  const covers = Math.max(0, highestInherited() + 1 - own.length);
  return [...own, ...new Array<number>(covers).fill(nothing)];
}

function exitOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function readStatus(child: ChildProcess): () => string {
  let text = '';
  const stream = child.stdio[STATUS_FD];
  if (stream instanceof Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => (text = (text + chunk).slice(-MAX_STATUS_CHARS)));
    stream.on('error', () => undefined);
  }
  return () => text;
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, TASK_NICENESS);
  } catch {
    // It has ended already, or the worker itself runs at a lower priority.
  }
}
