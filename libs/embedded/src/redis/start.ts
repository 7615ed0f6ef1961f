import { join } from 'node:path';
import { EmbeddedError, embeddedCodes } from '../errors';
import { freePort } from '../free-port';
import { cacheFolder, type HomePaths } from '../home';
import { describeExit, logExcerpt, startProcess, type ManagedProcess } from '../managed-process';
import { fitsSocket } from '../socket-path';
import { waitUntil } from '../wait-until';
import { writeRedisConfig } from './config';
import { findRedis, redisEnv, type RedisProgram } from './find';
import { redisFromPackages } from './from-packages';
import { startRedisContainer } from './container';
import type { StartRedis } from './options';
import { installHint } from './install-hint';
import { pingRedis } from './ping';

export interface RunningRedis {
  readonly url: string;
  readonly process: ManagedProcess;
}

/** A big append-only file takes a while to load. */
const readyLimitMs = 60_000;
const portTries = 3;

/** A server on PATH, else the system's package unpacked, else a container, else an error that says what to type. */
export async function startRedis(options: StartRedis): Promise<RunningRedis> {
  const { paths, env, log } = options;
  const program =
    (await findRedis(env)) ?? (await redisFromPackages({ cache: cacheFolder(paths.home, env), env, log }));
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const process = program ? launch(options, program, port) : await startRedisContainer({ ...options, port });
    if (!process) throw new EmbeddedError(embeddedCodes.redisMissing, installHint(), {});
    if (await isReady(process, port, options.password)) {
      const socket = program && socketFile(paths);
      const by = socket === undefined ? '' : `?path=${encodeURIComponent(socket)}`;
      return { url: `redis://:${options.password}@127.0.0.1:${port}${by}`, process };
    }
    const exit = process.exit();
    await process.stop();
    // Another program may have taken the port between the look and the start.
    if (exit && tries < portTries && /address already in use|could not create server/i.test(logExcerpt(process)))
      continue;
    const how = exit ? `ended with ${describeExit(exit)}` : `was not ready after ${readyLimitMs / 1000} s`;
    throw new EmbeddedError(embeddedCodes.serviceFailed, `The embedded Redis ${how}:\n${logExcerpt(process)}`, {
      service: 'redis',
    });
  }
}

function launch({ paths, password, fsync }: StartRedis, program: RedisProgram, port: number): ManagedProcess {
  const config = writeRedisConfig({
    folder: paths.redisData,
    dataFolder: paths.redisData,
    bind: '127.0.0.1',
    port,
    socket: socketFile(paths),
    password,
    fsync,
  });
  return startProcess({ paths, name: 'redis', command: program.command, args: [config], env: redisEnv(program) });
}

/** Where the socket lies by which the apps reach it: half the cost of a connection to 127.0.0.1. Undefined where its path would be too long. */
function socketFile({ redisData }: HomePaths): string | undefined {
  const file = join(redisData, 'redis.sock');
  return fitsSocket(file) ? file : undefined;
}

async function isReady(process: ManagedProcess, port: number, password: string): Promise<boolean> {
  const state = await waitUntil(
    async () => {
      if (process.exit()) return 'ended';
      return (await pingRedis(port, password)) ? 'ready' : undefined;
    },
    { limitMs: readyLimitMs, everyMs: 10 },
  );
  return state === 'ready';
}
