import { accessSync, constants, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The repository (or the unpacked release) this library is part of; the same from src and from dist. */
export const repoRoot = resolve(__dirname, '..', '..', '..');

export type Env = Readonly<Record<string, string | undefined>>;

/** LATTICE_HOME, else `.lattice` in the repository. */
export function defaultHome(env: Env = process.env): string {
  return env['LATTICE_HOME'] ? resolve(env['LATTICE_HOME']) : join(repoRoot, '.lattice');
}

/** Where data and binaries of Postgres lie that can't be reached in a home; see postgres/unprivileged.ts. */
export const outsideHomes = '/var/lib/lattice';

/** One cache for all homes of a repository, so that a throw-away home need not download again; else in the home. */
export function cacheFolder(home: string, env: Env): string {
  const common = join(defaultHome(env), 'cache');
  try {
    mkdirSync(common, { recursive: true, mode: 0o700 });
    accessSync(common, constants.W_OK);
    return common;
  } catch {
    return join(home, 'cache');
  }
}

/** Where everything of one home lies. */
export interface HomePaths {
  readonly home: string;
  readonly run: string;
  readonly logs: string;
  readonly lock: string;
  readonly adminKey: string;
  readonly secret: string;
  readonly redisData: string;
  readonly postgresData: string;
}

export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  return {
    home: root,
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    lock: join(root, 'run', 'launcher.json'),
    adminKey: join(root, 'admin.key'),
    secret: join(root, 'services.secret'),
    redisData: join(root, 'redis'),
    postgresData: join(root, 'postgres'),
  };
}

/** Makes the folders of a home. It holds keys and data, so a new one is closed to other users. */
export function makeHome(home: string): HomePaths {
  const paths = homePaths(home);
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  mkdirSync(paths.run, { recursive: true });
  mkdirSync(paths.logs, { recursive: true });
  return paths;
}

/** Where the database really lies: the home may hold a link to it. */
export function realPostgresData(paths: HomePaths): string {
  try {
    return realpathSync(paths.postgresData);
  } catch {
    return paths.postgresData;
  }
}

/** All of a home, with the database that may lie outside of it. */
export function removeHome(paths: HomePaths): void {
  const data = realPostgresData(paths);
  rmSync(data, { recursive: true, force: true });
  // There it has a folder of its own.
  if (dirname(dirname(data)) === outsideHomes) rmSync(dirname(data), { recursive: true, force: true });
  rmSync(paths.home, { recursive: true, force: true });
}
