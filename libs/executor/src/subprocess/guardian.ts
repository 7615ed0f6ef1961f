import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import path from 'node:path';

const SCRIPT = path.join(__dirname, '..', '..', 'runners', 'guardian.sh');

/** Ends the processes of this worker's tasks if the worker itself is ended before it can, even by SIGKILL. */
export interface Guardian {
  began(group: number): void;
  ended(group: number): void;
  close(): void;
}

/**
 * A small shell process, started with the first task, that waits for the end of its stdin: the kernel closes that whenever
 * and however the worker dies. It is told the process groups; on Linux it finds those that left their group by their mark, or in the control groups in `foldersOf`,
 * which it removes.
 */
export function createGuardian(stamp: string, foldersOf: () => readonly string[]): Guardian {
  const groups = new Set<number>();
  let child: ChildProcess | undefined;

  function start(): ChildProcess {
    const started = spawn('/bin/sh', [SCRIPT, stamp, ...foldersOf()], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      cwd: '/',
      // Its own session: a Ctrl-C in the worker's terminal is not for it.
      detached: true,
    });
    started.unref();
    const { stdin } = started;
    if (stdin instanceof Socket) stdin.unref();
    // Should someone end it, the next task starts another one.
    const lost = (): void => {
      if (child === started) child = undefined;
    };
    started.on('exit', lost).on('error', lost);
    started.stdin?.on('error', lost);
    for (const group of groups) started.stdin?.write(`+${group}\n`);
    return started;
  }

  return {
    began(group) {
      if (child === undefined) child = start();
      groups.add(group);
      child.stdin?.write(`+${group}\n`);
    },
    ended(group) {
      groups.delete(group);
      child?.stdin?.write(`-${group}\n`);
    },
    close() {
      child?.stdin?.end('quit\n');
      child = undefined;
    },
  };
}
