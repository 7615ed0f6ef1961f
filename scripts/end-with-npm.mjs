import { readFileSync } from 'node:fs';

/**
 * npm passes SIGINT and SIGTERM on to the script it runs, but not SIGKILL. When npm has vanished, this process gets the
 * SIGTERM it would have got otherwise. Outside of npm nothing is watched: a shell may end before what it started.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const before = chainToNpm();
  const timer = setInterval(() => {
    if (chainToNpm() === before) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 1_000);
  timer.unref();
}

/** The pids from here to npm: it is the parent, or (read from /proc, so on Linux only) the parent of the shell between. */
function chainToNpm() {
  const parent = process.ppid;
  try {
    const isShell = /\/?(sh|dash|bash|ash)\0-c\0/.test(readFileSync(`/proc/${parent}/cmdline`, 'latin1'));
    if (!isShell) return `${parent}`;
    const stat = readFileSync(`/proc/${parent}/stat`, 'latin1');
    // Field 2, the name, is in brackets; two fields later comes the parent.
    return `${parent} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
  } catch {
    return `${parent}`;
  }
}
