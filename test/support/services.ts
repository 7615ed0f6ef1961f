import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, removeHome, startServices } from '@lattice/embedded';
import { Redis } from 'ioredis';
import { eventually } from './eventually';

/** A Redis and a Postgres that nobody else uses, so that a test may kill them. */
export interface OwnServices {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Kills Redis (SIGKILL) and starts it again on its files after `downMs`. */
  restartRedis(downMs: number): Promise<void>;
  /** Empties Redis. */
  flushRedis(): Promise<void>;
  stop(): Promise<void>;
}

interface Program {
  readonly pid: number;
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export async function ownServices(): Promise<OwnServices> {
  const home = mkdtempSync(join(tmpdir(), 'lattice-services-test-'));
  // With fsync: what is killed here must lose nothing that it had promised.
  const services = await startServices({ home, env: { PATH: process.env['PATH'] } });
  const restarted: number[] = [];
  const redisPid = async (): Promise<number> =>
    Number(/process_id:(\d+)/.exec(await ask(services.redisUrl, 'info'))?.[1]);
  return {
    redisUrl: services.redisUrl,
    databaseUrl: services.databaseUrl,
    restartRedis: async (downMs) => {
      const program = programOf(await redisPid());
      process.kill(program.pid, 'SIGKILL');
      const end = performance.now() + downMs;
      await eventually('Redis is gone', () => (isAlive(program.pid) ? undefined : true));
      await eventually('the pause is over', () => (performance.now() >= end ? true : undefined), downMs + 1_000);
      restarted.push(launch(program));
      await eventually('Redis is back', async () =>
        (await ask(services.redisUrl, 'ping')) === 'PONG' ? true : undefined,
      );
    },
    flushRedis: async () => {
      await ask(services.redisUrl, 'flushall');
    },
    stop: async () => {
      for (const pid of restarted) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      await services.stop();
      removeHome(homePaths(home));
    },
  };
}

async function ask(url: string, command: string): Promise<string> {
  const redis = new Redis(url, { retryStrategy: () => null, lazyConnect: true });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return String(await redis.call(command));
  } finally {
    redis.disconnect();
  }
}

/** What runs there. Redis wrote its title over its arguments and environment, so both are found in another way. */
function programOf(pid: number): Program {
  const cwd = readlinkSync(`/proc/${pid}/cwd`);
  const libraries = [...readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/ (\/\S+)\/[^/\s]+\.so[.\d]*$/gm)];
  const folders = new Set(libraries.map(([, folder = '']) => folder));
  return {
    pid,
    command: [readlinkSync(`/proc/${pid}/exe`), join(cwd, 'redis.conf')],
    env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: [...folders].join(':') },
    cwd,
  };
}

function launch({ command, env, cwd }: Program): number {
  const [file = '', ...args] = command;
  // The file may go by another name: Redis is several programs in one.
  const child = spawn(file, args, { env, cwd, stdio: 'ignore', argv0: 'redis-server' });
  return child.pid ?? 0;
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
