import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HomePaths } from '../home';
import { startProcess, type ManagedProcess } from '../managed-process';
import { onPath } from '../on-path';
import { runCommand } from '../run-command';
import { writeRedisConfig } from './config';
import type { StartRedis } from './options';

const image = 'redis:7-alpine';

/**
 * Redis in a container, in the foreground of a docker client that is our child: the client passes SIGTERM on. Its name
 * is kept in run/redis.container for the case that the launcher is killed. Undefined without a working engine.
 */
export async function startRedisContainer(
  options: StartRedis & { readonly port: number },
): Promise<ManagedProcess | undefined> {
  const { paths, port, log, env } = options;
  if (!onPath('docker', env) || !(await imageIsHere(log))) return undefined;
  writeRedisConfig({
    folder: paths.redisData,
    dataFolder: '/data',
    // Inside its own network namespace; only the loopback port below leads to it.
    bind: '0.0.0.0',
    port: 6379,
    password: options.password,
    fsync: options.fsync,
  });
  const name = containerName(paths);
  await runCommand('docker', ['rm', '--force', name], { timeoutMs: 20_000 });
  const nameFile = join(paths.run, 'redis.container');
  writeFileSync(nameFile, `${name}\n`);
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const client = startProcess({
    paths,
    name: 'redis',
    command: 'docker',
    args: [
      ...['run', '--rm', '--name', name, '--user', user, '--volume', `${paths.redisData}:/data`],
      ...['--publish', `127.0.0.1:${port}:6379`, image, 'redis-server', '/data/redis.conf'],
    ],
  });
  client.onExit(({ signal }) => {
    // A killed client leaves its container; one that ended by itself has seen it end.
    if (signal === null) rmSync(nameFile, { force: true });
  });
  return client;
}

function containerName(paths: HomePaths): string {
  return `lattice-redis-${createHash('sha256').update(paths.home).digest('hex').slice(0, 12)}`;
}

async function imageIsHere(log: (line: string) => void): Promise<boolean> {
  const found = await runCommand('docker', ['image', 'inspect', image], { timeoutMs: 10_000 });
  if (found.code === 0) return true;
  if ((await runCommand('docker', ['version'], { timeoutMs: 10_000 })).code !== 0) return false;
  log(`no redis-server here: pulling ${image}`);
  return (await runCommand('docker', ['pull', '--quiet', image], { timeoutMs: 180_000 })).code === 0;
}
