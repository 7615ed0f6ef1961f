import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedError, embeddedCodes } from '../errors';
import { freePort } from '../free-port';
import type { HomePaths } from '../home';
import { describeExit, logExcerpt, startProcess, type ManagedProcess } from '../managed-process';
import { fitsSocket } from '../socket-path';
import { waitUntil } from '../wait-until';
import { databaseName, ensureCluster, postgresEnv } from './init';
import { nativePostgres } from './native';
import { postgresHost, type PostgresHost } from './unprivileged';

export interface RunningService {
  readonly url: string;
  readonly process: ManagedProcess;
}

export interface StartPostgres {
  readonly paths: HomePaths;
  readonly password: string;
  /** False loses the newest transactions, or more, when the machine dies: for tests. */
  readonly fsync: boolean;
  readonly log: (line: string) => void;
}

/** A crashed server replays its log before it is ready; that may take a while. */
const readyLimitMs = 60_000;
const portTries = 3;

export async function startPostgres(options: StartPostgres): Promise<RunningService> {
  const { paths, password } = options;
  const host = await postgresHost(paths, nativePostgres());
  if ((await ensureCluster(host, password)) === 'made') options.log(`made a Postgres database in ${host.data}`);
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const process = launch(options, host, port);
    if (await isReady(process, host.data, port)) {
      const socket = socketFolder(host);
      const by = socket === undefined ? '' : `?host=${encodeURIComponent(socket)}`;
      return { url: `postgres://postgres:${password}@127.0.0.1:${port}/${databaseName}${by}`, process };
    }
    const exit = process.exit();
    await process.stop();
    // Another program may have taken the port between the look and the start.
    if (exit && tries < portTries && logExcerpt(process).includes('could not bind')) continue;
    const how = exit ? `ended with ${describeExit(exit)}` : `was not ready after ${readyLimitMs / 1000} s`;
    throw new EmbeddedError(embeddedCodes.serviceFailed, `The embedded Postgres ${how}:\n${logExcerpt(process)}`, {
      service: 'postgres',
    });
  }
}

function launch({ paths, fsync }: StartPostgres, host: PostgresHost, port: number): ManagedProcess {
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${socketFolder(host) ?? ''}`,
    'max_connections=200',
    `port=${port}`,
    ...(fsync ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  const { command, args } = host.wrap(join(host.native, 'bin', 'postgres'), [
    '-D',
    host.data,
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  return startProcess({
    paths,
    name: 'postgres',
    command,
    args,
    env: postgresEnv(),
    cwd: '/',
    ...(host.uid === undefined ? {} : { uid: host.uid }),
  });
}

/**
 * Where the socket lies by which the apps reach it: half the cost of a connection to 127.0.0.1. In the data folder, which
 * belongs to the user that the server runs as. Undefined where its path would be too long.
 */
function socketFolder(host: PostgresHost): string | undefined {
  return fitsSocket(join(host.data, '.s.PGSQL.65535')) && !host.data.includes(',') ? host.data : undefined;
}

/** The server writes its port (line 4) and its state (line 8) to postmaster.pid: no client is needed to ask. */
async function isReady(process: ManagedProcess, data: string, port: number): Promise<boolean> {
  const state = await waitUntil(
    () => {
      if (process.exit()) return 'ended';
      const lines = readLines(join(data, 'postmaster.pid'));
      return lines[3] === String(port) && lines[7]?.trim() === 'ready' ? 'ready' : undefined;
    },
    { limitMs: readyLimitMs, everyMs: 10 },
  );
  return state === 'ready';
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
