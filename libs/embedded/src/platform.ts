import { join } from 'node:path';
import { ensureAdminKey } from './admin-key';
import { choosePort } from './choose-port';
import { defaultHome, makeHome, repoRoot, type Env, type HomePaths } from './home';
import { publishUrl, releaseLock, takeLock } from './launcher-lock';
import { Parts, stoppedEarly, type ExitListener, type PartExit } from './parts';
import { reap } from './reap';
import type { Services } from './services';
import { startWatchdog } from './start-watchdog';
import { waitReady } from './wait-ready';

export type PlatformStatus =
  { readonly kind: 'step'; readonly text: string } | { readonly kind: 'exit'; readonly exit: PartExit };

export interface PlatformOptions {
  /** Default: LATTICE_HOME, else `.lattice` in the repository. */
  readonly home?: string | undefined;
  /** Default: PORT, else 3000, else (with `exit`) any free one. */
  readonly port?: number | undefined;
  /** The platform ends after one run. */
  readonly exit?: boolean | undefined;
  /** What the apps get, and where HOST, PORT, REDIS_URL and DATABASE_URL are read. Default: that of this process. */
  readonly env?: Env | undefined;
  readonly onStatus?: ((status: PlatformStatus) => void) | undefined;
  /** Ends a start half way: whatever runs is stopped, and startPlatform throws `stopped`. */
  readonly signal?: AbortSignal | undefined;
  /** Where the apps lie, NAME/dist/main.js each. Default: `apps` in the repository. */
  readonly appsDir?: string | undefined;
  /** False trades durability for speed: for tests. Default true. */
  readonly fsync?: boolean | undefined;
  /** Milliseconds until GET /health/ready must answer 200. Default 60,000. */
  readonly readyLimitMs?: number | undefined;
}

export interface Platform {
  readonly url: string;
  readonly home: string;
  /** The file with the admin key. */
  readonly adminKeyFile: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Calls back for every app or service that ends by itself, those that already did included. */
  onAppExit(listener: ExitListener): void;
  /** Worker, scheduler, api, Redis, Postgres, each with 10 s before it is killed, the worker with its drain (LATTICE_DRAIN) and more. Idempotent. */
  stop(): Promise<void>;
  /** Ends everything at once; follow it with process.exit. */
  kill(): void;
}

/**
 * Starts the whole platform on this machine: services where no URL is given, then the three apps, and waits until it
 * is ready. Throws EmbeddedError with a message for the terminal; then nothing is left running.
 */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const env = options.env ?? process.env;
  const host = env['HOST'] || '127.0.0.1';
  const paths = makeHome(options.home ?? defaultHome(env));
  // Before the port: a second start is told where the first one is, rather than that its port is taken.
  const lock = takeLock(paths, null);
  const parts = new Parts(paths);
  let endWatchdog = (): void => undefined;
  const stop = async (): Promise<void> => {
    await parts.stop();
    releaseLock(paths, lock);
    endWatchdog();
  };
  try {
    const port = await choosePort({ port: options.port, env, exit: options.exit ?? false, host });
    const url = `http://${reachable(host)}:${port}`;
    publishUrl(paths, lock, url);
    endWatchdog = startWatchdog(paths, lock, false);
    const services = await launch({ options, env, paths, port, url, parts });
    let stopped: Promise<void> | undefined;
    return {
      url,
      home: paths.home,
      adminKeyFile: paths.adminKey,
      redisUrl: services.redisUrl,
      databaseUrl: services.databaseUrl,
      onAppExit: (listener) => parts.onExit(listener),
      stop: () => (stopped ??= stop()),
      kill: () => parts.kill(),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Launch {
  readonly options: PlatformOptions;
  readonly env: Env;
  readonly paths: HomePaths;
  readonly port: number;
  readonly url: string;
  readonly parts: Parts;
}

async function launch({ options, env, paths, port, url, parts }: Launch): Promise<Services> {
  const step = (text: string): void => options.onStatus?.({ kind: 'step', text });
  const aborted = (): boolean => options.signal?.aborted ?? false;
  const left = await reap(paths);
  if (left.length > 0) step(`stopped what an earlier start left running: ${left.join(', ')}`);
  ensureAdminKey(paths.adminKey);
  if (!env['REDIS_URL'] || !env['DATABASE_URL']) step('starting Redis and Postgres');
  const services = await parts.startServices({ env, log: step, fsync: options.fsync ?? true });
  if (aborted()) throw stoppedEarly();
  step('starting api, scheduler and worker');
  const apps = parts.startApps({
    appsDir: options.appsDir ?? join(repoRoot, 'apps'),
    env: {
      ...env,
      REDIS_URL: services.redisUrl,
      DATABASE_URL: services.databaseUrl,
      PORT: String(port),
      LATTICE_HOME: paths.home,
      LATTICE_ADMIN_KEY_FILE: paths.adminKey,
    },
  });
  await waitReady({ url, apps, limitMs: options.readyLimitMs ?? 60_000, aborted });
  // Only from here on: an app that dies during the start is the error of the start.
  parts.onExit((exit) => options.onStatus?.({ kind: 'exit', exit }));
  return services;
}

/** The address to call for a host to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
