import { Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { HomePaths } from './home';
import type { LauncherLock } from './launcher-lock';

/** Ends the watchdog, once nothing is left for it to watch. */
export type EndWatchdog = () => void;

export function startWatchdog(paths: HomePaths, lock: LauncherLock, removeHome: boolean): EndWatchdog {
  // Always the compiled program: plain node can't run the source, also when a test imports this file from src.
  const program = join(resolve(__dirname, '..'), 'dist', 'watchdog.js');
  const args = [program, paths.home, lock.id, ...(removeHome ? ['remove'] : [])];
  const child = spawn(process.execPath, args, {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  // It must not keep the launcher alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return () => child.stdin.end();
}
