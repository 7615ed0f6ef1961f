import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { realPostgresData, type HomePaths } from './home';
import { livingPidFiles, removePidFile, type Leftover } from './pid-file';
import { commandLine, identify } from './process-identity';
import { stopPlan, stopProcess } from './stop-process';

/** Apps use the services, so they go first. */
const services: readonly string[] = ['redis', 'postgres'];

/**
 * Ends what an earlier launcher of this home left running: it was killed and could not do it itself. Only processes
 * whose pid AND start time are recorded are touched. Returns their names.
 */
export async function reap(paths: HomePaths): Promise<string[]> {
  const leftovers = withUnrecordedPostgres(paths, livingPidFiles(paths.run));
  await Promise.all(leftovers.filter(({ name }) => !services.includes(name)).map((one) => end(paths, one)));
  await Promise.all(leftovers.filter(({ name }) => services.includes(name)).map((one) => end(paths, one)));
  removeContainer(paths);
  return leftovers.map(({ name }) => name);
}

async function end(paths: HomePaths, leftover: Leftover): Promise<void> {
  await stopProcess(leftover, stopPlan(leftover.name));
  removePidFile(paths.run, leftover.name, leftover);
}

/**
 * Postgres keeps a pid file of its own and refuses to start while any process has that pid. Its owner is either our
 * server, to be stopped, or a stranger that got the number later: then the file is dropped.
 */
function withUnrecordedPostgres(paths: HomePaths, leftovers: Leftover[]): Leftover[] {
  if (leftovers.some(({ name }) => name === 'postgres')) return leftovers;
  const data = realPostgresData(paths);
  const file = join(data, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  } catch {
    return leftovers;
  }
  const identity = pid > 1 ? identify(pid) : undefined;
  if (identity && commandLine(pid).includes(data)) return [...leftovers, { name: 'postgres', ...identity }];
  rmSync(file, { force: true });
  return leftovers;
}

/** Redis in a container has no pid of ours: its name is kept instead. */
function removeContainer(paths: HomePaths): void {
  const file = join(paths.run, 'redis.container');
  let name: string;
  try {
    name = readFileSync(file, 'utf8').trim();
  } catch {
    return;
  }
  try {
    execFileSync('docker', ['stop', '--time', '10', name], { stdio: 'ignore', timeout: 20_000 });
  } catch {
    // Already gone (it was started with --rm), or the engine is: nothing more can be done from here.
  }
  rmSync(file, { force: true });
}
