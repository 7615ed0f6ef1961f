import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { HomePaths } from './home';
import { lastLines, openLog, type LogFile } from './log-file';
import { removePidFile, writePidFile } from './pid-file';
import { identify } from './process-identity';
import { killGroup, stopPlan, stopProcess } from './stop-process';

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child of the launcher with a log, a pid file and a way to stop it. */
export interface ManagedProcess {
  readonly name: string;
  readonly log: LogFile;
  /** Undefined while it lives. */
  exit(): ProcessExit | undefined;
  /** True once stop() or kill() was asked for: an end after that is not news. */
  stopping(): boolean;
  onExit(listener: (exit: ProcessExit) => void): void;
  stop(): Promise<void>;
  kill(): void;
}

export interface StartProcess {
  readonly paths: HomePaths;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  /** Milliseconds that it may take to end when it is stopped. Default 10,000. */
  readonly stopMs?: number;
}

/**
 * Its own process group (detached), so that Ctrl-C in the terminal reaches only the launcher, which then stops
 * everything in the right order.
 */
export function startProcess(options: StartProcess): ManagedProcess {
  const { paths, name } = options;
  const log = openLog(paths.logs, name);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd ?? paths.home,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  closeSync(log.fd);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity) writePidFile(paths.run, name, identity);

  let exit: ProcessExit | undefined;
  let stopping = false;
  const listeners: ((exit: ProcessExit) => void)[] = [];
  const ended = (how: ProcessExit): void => {
    if (exit) return;
    exit = how;
    if (identity) removePidFile(paths.run, name, identity);
    for (const listener of listeners) listener(how);
  };
  child.once('exit', (code, signal) => ended({ code, signal }));
  child.once('error', () => ended({ code: 127, signal: null }));

  return {
    name,
    log,
    exit: () => exit,
    stopping: () => stopping,
    onExit: (listener) => void listeners.push(listener),
    stop: async () => {
      stopping = true;
      // Once it has ended, its number may belong to another process group.
      if (!identity || exit) return;
      await stopProcess(identity, stopPlan(name, options.stopMs));
      removePidFile(paths.run, name, identity);
    },
    kill: () => {
      stopping = true;
      if (identity && !exit) killGroup(identity);
    },
  };
}

/** "exit code 1" or "signal SIGKILL". */
export function describeExit(exit: ProcessExit): string {
  return exit.signal ? `signal ${exit.signal}` : `exit code ${exit.code}`;
}

/** What its log says last of what went wrong, indented for a terminal; empty when that is nothing. */
export function lastWords(process: ManagedProcess): string {
  const text = lastLines(process.log);
  return text === '' ? '' : text.replace(/^/gm, '  | ');
}

/** The same, and where the rest is. */
export function logExcerpt(process: ManagedProcess): string {
  const text = lastWords(process);
  return text === '' ? `  (no warnings in ${process.log.path})` : `${text}\n  (${process.log.path})`;
}
