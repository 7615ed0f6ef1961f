import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RedisConfig {
  readonly folder: string;
  /** The data folder as the server sees it. */
  readonly dataFolder: string;
  readonly port: number;
  readonly bind: string;
  /** The file of a Unix socket beside the port. */
  readonly socket?: string | undefined;
  readonly password: string;
  readonly fsync: boolean;
}

/** Written to a file (mode 600), not given as arguments: those everyone can read in the process list. */
export function writeRedisConfig(config: RedisConfig): string {
  mkdirSync(config.folder, { recursive: true, mode: 0o700 });
  const file = join(config.folder, 'redis.conf');
  const lines = [
    `bind ${config.bind}`,
    `port ${config.port}`,
    ...(config.socket === undefined ? [] : [`unixsocket "${config.socket}"`, 'unixsocketperm 700']),
    `requirepass ${config.password}`,
    `dir "${config.dataFolder}"`,
    'appendonly yes',
    `appendfsync ${config.fsync ? 'everysec' : 'no'}`,
    'save ""',
    // A queue must refuse new work when memory is full, never forget old work.
    'maxmemory-policy noeviction',
    'daemonize no',
    '',
  ];
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  return file;
}
