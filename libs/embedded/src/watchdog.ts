/**
 * The program that outlives a killed launcher: it waits for the end of its standard input, which the operating system
 * closes with the launcher however that ended, then stops what is left. Usage: node watchdog.js HOME LOCK-ID [remove]
 */
import { homePaths, removeHome, type HomePaths } from './home';
import { readLock, releaseLock, type LauncherLock } from './launcher-lock';
import { isAlive } from './process-identity';
import { reap } from './reap';
import { waitUntil } from './wait-until';

async function main([home, id, remove]: readonly string[]): Promise<void> {
  if (!home || !id) throw new Error('usage: watchdog HOME LOCK-ID [remove]');
  const paths = homePaths(home);
  for await (const chunk of process.stdin) void chunk;
  const orphan = await orphanedLock(paths, id);
  if (!orphan) return;
  await reap(paths);
  releaseLock(paths, orphan);
  if (remove === 'remove') removeHome(paths);
}

/**
 * The lock of a launcher that died holding it. Released: an orderly stop. Taken by another: that one has cleaned up, and
 * what runs now is its own. A dying process closes its files a moment before it is gone, hence the wait.
 */
function orphanedLock(paths: HomePaths, id: string): Promise<LauncherLock | null | undefined> {
  const look = (): LauncherLock | null | undefined => {
    const lock = readLock(paths);
    if (lock?.id !== id) return null;
    return isAlive(lock) ? undefined : lock;
  };
  return waitUntil(look, { limitMs: 60_000, everyMs: 50 });
}

// Ctrl-C and a closed terminal are the launcher's business.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
void main(process.argv.slice(2));
