import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, removeHome, startServices } from '@lattice/embedded';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { eventually } from './eventually';

/** A Redis and a Postgres that nobody else uses, so that a test may kill them. */
export interface OwnServices {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Kills Redis (SIGKILL) and starts it again on its files after `downMs`; on those of `folder` when one is given. */
  restartRedis(downMs: number, folder?: string): Promise<void>;
  /** Copies the files of Redis as they are now; Redis goes on. Returns the folder of the copy. */
  copyRedis(): Promise<string>;
  /** Empties Redis. */
  flushRedis(): Promise<void>;
  /** Ends Postgres (SIGKILL of all of it, or its immediate shutdown) and starts it again on its files after `downMs`. */
  restartPostgres(downMs: number, how?: 'kill' | 'immediate'): Promise<void>;
  stop(): Promise<void>;
}

interface Program {
  readonly pid: number;
  readonly command: readonly string[];
  readonly argv0?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly uid?: number;
}

/** What was started again here; the launcher of the services looks after the rest. */
const restarted = new Set<ChildProcess>();

/** Ends what was restarted at once: for a suite that is interrupted. */
export function killRestarted(): void {
  for (const { pid } of restarted) if (pid !== undefined) endGroup(pid);
}

export async function ownServices(): Promise<OwnServices> {
  const home = mkdtempSync(join(tmpdir(), 'lattice-services-test-'));
  const paths = homePaths(home);
  // With fsync: what is killed here must lose nothing that it had promised.
  const services = await startServices({ home, env: { PATH: process.env['PATH'] } });
  const own = new Set<ChildProcess>();
  const redisPid = async (): Promise<number> =>
    Number(/process_id:(\d+)/.exec(await ask(services.redisUrl, 'info'))?.[1]);
  const start = (program: Program): void => {
    const child = launch(program);
    for (const set of [own, restarted]) {
      set.add(child);
      child.once('exit', () => set.delete(child));
    }
  };
  return {
    redisUrl: services.redisUrl,
    databaseUrl: services.databaseUrl,
    restartRedis: async (downMs, folder) => {
      const program = redisProgram(await redisPid());
      process.kill(program.pid, 'SIGKILL');
      const from = performance.now();
      await eventually('Redis is gone', () => (isAlive(program.pid) ? undefined : true));
      if (folder !== undefined) {
        for (const name of dataFiles(paths.redisData)) rmSync(join(paths.redisData, name), { recursive: true });
        for (const name of dataFiles(folder))
          cpSync(join(folder, name), join(paths.redisData, name), { recursive: true });
      }
      await over(from + downMs);
      start(program);
      await eventually(
        'Redis is back',
        async () => ((await ask(services.redisUrl, 'ping')) === 'PONG' ? true : undefined),
        30_000,
      );
    },
    copyRedis: async () => {
      const folder = mkdtempSync(join(home, 'copy-of-redis-'));
      for (const name of dataFiles(paths.redisData))
        cpSync(join(paths.redisData, name), join(folder, name), { recursive: true });
      return folder;
    },
    flushRedis: async () => {
      await ask(services.redisUrl, 'flushall');
    },
    restartPostgres: async (downMs, how = 'kill') => {
      const program = postgresProgram(paths.postgresData);
      const children = childrenOf(program.pid);
      const from = performance.now();
      process.kill(program.pid, how === 'kill' ? 'SIGKILL' : 'SIGQUIT');
      // The server would not start beside a process that still has its memory.
      if (how === 'kill') children.forEach(killQuietly);
      await eventually('Postgres is gone', () => ([program.pid, ...children].some(isAlive) ? undefined : true));
      await over(from + downMs);
      start(program);
      await eventually('Postgres is back', () => answers(services.databaseUrl), 30_000);
    },
    stop: async () => {
      for (const { pid } of own) if (pid !== undefined) endGroup(pid);
      await eventually('what was restarted is gone', () => (own.size === 0 ? true : undefined), 15_000);
      await services.stop();
      removeHome(paths);
    },
  };
}

/** What Redis writes; its configuration stays. */
function dataFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== 'redis.conf' && name !== 'redis.sock');
}

/** Waits until that moment of `performance.now()`. */
async function over(end: number): Promise<void> {
  const ms = end - performance.now();
  if (ms > 0) await eventually('the pause is over', () => (performance.now() >= end ? true : undefined), ms + 1_000);
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

async function answers(url: string): Promise<true> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What runs there. Redis wrote its title over its arguments and environment, so both are found in another way. */
function redisProgram(pid: number): Program {
  const cwd = readlinkSync(`/proc/${pid}/cwd`);
  const libraries = [...readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/ (\/\S+)\/[^/\s]+\.so[.\d]*$/gm)];
  const folders = new Set(libraries.map(([, folder = '']) => folder));
  return {
    pid,
    command: [readlinkSync(`/proc/${pid}/exe`), join(cwd, 'redis.conf')],
    // The file may go by another name: Redis is several programs in one.
    argv0: 'redis-server',
    env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: [...folders].join(':') },
    cwd,
  };
}

/** The server of a data folder, as it was started: root puts it into a user namespace, or makes it another user. */
function postgresProgram(data: string): Program {
  const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const own = readlinkSync('/proc/self/ns/user');
  const namespaced = readlinkSync(`/proc/${pid}/ns/user`) !== own;
  const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return {
    pid,
    command: namespaced ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--', ...args] : args,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    ...(uid === process.getuid?.() ? {} : { uid }),
  };
}

function launch({ command, argv0, env, cwd, uid }: Program): ChildProcess {
  const [file = '', ...args] = command;
  const as = uid === undefined ? {} : { uid, gid: uid };
  return spawn(file, args, {
    env,
    cwd,
    stdio: 'ignore',
    detached: true,
    ...(argv0 === undefined ? {} : { argv0 }),
    ...as,
  });
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : [];
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function endGroup(pid: number): void {
  childrenOf(pid).forEach(killQuietly);
  killQuietly(-pid);
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
