import type { Env } from '../home';
import { onPath } from '../on-path';
import { runCommand } from '../run-command';

/** A server program and what it needs in its environment. */
export interface RedisProgram {
  readonly command: string;
  readonly libraryPath?: string;
}

/** BullMQ asks for 6.2 and newer; every Valkey is. */
const oldest = [6, 2] as const;

/** The first redis-server or valkey-server on PATH that is new enough. */
export async function findRedis(env: Env): Promise<RedisProgram | undefined> {
  for (const name of ['redis-server', 'valkey-server']) {
    const command = onPath(name, env);
    if (command && (await runs({ command }))) return { command };
  }
  return undefined;
}

/** Whether the program starts at all (its libraries are there) and is new enough. */
export async function runs(program: RedisProgram): Promise<boolean> {
  const { code, output } = await runCommand(program.command, ['--version'], {
    timeoutMs: 5_000,
    env: redisEnv(program),
  });
  const version = /v=(\d+)\.(\d+)/.exec(output);
  if (code !== 0 || !version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

export function redisEnv(program: RedisProgram): NodeJS.ProcessEnv {
  const base = { PATH: process.env['PATH'], LC_ALL: 'C' };
  return program.libraryPath === undefined ? base : { ...base, LD_LIBRARY_PATH: program.libraryPath };
}
