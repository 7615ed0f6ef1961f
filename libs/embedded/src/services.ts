import { makeHome, removeHome, type Env, type HomePaths } from './home';
import { releaseLock, takeLock } from './launcher-lock';
import type { ManagedProcess } from './managed-process';
import { reap } from './reap';
import { startPostgres } from './postgres/start';
import { startRedis } from './redis/start';
import { secretFile } from './secret';
import { startWatchdog } from './start-watchdog';

export interface ServiceOptions {
  /** The folder for data, logs and pid files; made if missing. */
  readonly home: string;
  /** False trades durability for speed: for tests. Default true. */
  readonly fsync?: boolean;
  /** Progress, a line each. */
  readonly log?: (line: string) => void;
  /** Where REDIS_URL, DATABASE_URL and PATH are looked up. Default: the environment of this process. */
  readonly env?: Env;
  /** Remove the home at the end, also when this process is killed. Default false. */
  readonly throwAway?: boolean;
  /** Called when a service ends that nobody stopped. */
  readonly onExit?: (service: ManagedProcess) => void;
}

export interface Services {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Redis, then Postgres. Returns when both are gone; calling it again returns the same end. */
  stop(): Promise<void>;
  /** Ends them at once: nothing is lost that was synced, the next start recovers. */
  kill(): void;
}

/**
 * Starts what is missing: Redis unless REDIS_URL is set, Postgres unless DATABASE_URL is set, each on a private port of
 * 127.0.0.1 with a password. They end with this process, however it ends. Throws EmbeddedError (`home_busy`,
 * `redis_missing`, `postgres_missing`, `service_failed`).
 */
export async function startServices(options: ServiceOptions): Promise<Services> {
  const paths = makeHome(options.home);
  const lock = takeLock(paths, null);
  const endWatchdog = startWatchdog(paths, lock, options.throwAway ?? false);
  const release = (): void => {
    releaseLock(paths, lock);
    endWatchdog();
    if (options.throwAway) removeHome(paths);
  };
  try {
    await reap(paths);
    const services = await launchServices(paths, options);
    let stopped: Promise<void> | undefined;
    return { ...services, stop: () => (stopped ??= services.stop().finally(release)) };
  } catch (error) {
    release();
    throw error;
  }
}

/** The services alone, for a caller that holds the home's lock. */
export async function launchServices(paths: HomePaths, options: Omit<ServiceOptions, 'home'>): Promise<Services> {
  const env = options.env ?? process.env;
  const fsync = options.fsync ?? true;
  const log = options.log ?? (() => undefined);
  const redisUrl = env['REDIS_URL'];
  const databaseUrl = env['DATABASE_URL'];
  const password = redisUrl && databaseUrl ? '' : secretFile(paths.secret);
  const started = await Promise.allSettled([
    redisUrl ? { url: redisUrl } : startRedis({ paths, password, fsync, env, log }),
    databaseUrl ? { url: databaseUrl } : startPostgres({ paths, password, fsync, log }),
  ]);
  const [redis, postgres] = started;
  const running = started.flatMap((one) =>
    one.status === 'fulfilled' && 'process' in one.value ? [one.value.process] : [],
  );
  if (redis.status === 'rejected' || postgres.status === 'rejected') {
    await stopAll(running);
    throw redis.status === 'rejected' ? redis.reason : (postgres as PromiseRejectedResult).reason;
  }
  watchExits(running, options.onExit);
  let stopped: Promise<void> | undefined;
  return {
    redisUrl: redis.value.url,
    databaseUrl: postgres.value.url,
    stop: () => (stopped ??= stopAll(running)),
    kill: () => running.forEach((one) => one.kill()),
  };
}

async function stopAll(running: readonly ManagedProcess[]): Promise<void> {
  for (const one of running) await one.stop();
}

function watchExits(running: readonly ManagedProcess[], onExit: ServiceOptions['onExit']): void {
  for (const one of running) {
    one.onExit(() => {
      if (!one.stopping()) onExit?.(one);
    });
  }
}
