import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@lattice/embedded';
import { Pool } from 'pg';
import { eventually } from '../support/eventually';
import { ownServices, type OwnServices } from '../support/services';
import { startApp, type App, type Kind } from './app';
import { Client } from './client';
import type { Proxy } from './proxy';

/** A process that was killed on purpose. */
export interface Kill {
  readonly name: string;
  /** Of a worker. */
  readonly workerId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An app that ended though nobody told it to. */
export interface Death {
  readonly name: string;
  readonly how: string;
  readonly lastWords: string;
}

export interface PlaceOptions {
  /** The way of this app to Redis. */
  readonly redis?: Proxy;
  readonly env?: NodeJS.ProcessEnv;
}

interface Place extends PlaceOptions {
  readonly kind: Kind;
  lives: number;
  app: App | undefined;
}

/** A dead app is started again after so long, as every supervisor does. */
const AGAIN_MS = 500;
const STOP_MS = 25_000;

/** A whole platform of real processes on a Redis and a Postgres of its own, which a scenario may break as it likes. */
export class World {
  readonly kills: Kill[] = [];
  readonly deaths: Death[] = [];
  /** For what is read past the platform. */
  readonly pg: Pool;
  private readonly places = new Map<string, Place>();
  private readonly proxies: Proxy[] = [];
  private closing = false;

  private constructor(
    readonly home: string,
    readonly services: OwnServices,
    readonly client: Client,
    private readonly env: NodeJS.ProcessEnv,
  ) {
    this.pg = new Pool({ connectionString: services.databaseUrl, max: 4 });
  }

  /** Starts the services; `env` goes to all apps. */
  static async open(env: NodeJS.ProcessEnv = {}): Promise<World> {
    const home = mkdtempSync(join(tmpdir(), 'lattice-chaos-'));
    mkdirSync(join(home, 'logs'));
    const services = await ownServices();
    const port = await freePort();
    const client = new Client(`http://127.0.0.1:${port}`, () => keyIn(home));
    const own = {
      PATH: process.env['PATH'],
      REDIS_URL: services.redisUrl,
      DATABASE_URL: services.databaseUrl,
      LATTICE_HOME: home,
      PORT: String(port),
      LATTICE_HANDLERS: join(__dirname, 'handlers.mjs'),
      CHAOS_LEDGER: join(home, 'ledger'),
    };
    const world = new World(home, services, client, { ...own, ...env });
    world.pg.on('error', () => undefined);
    return world;
  }

  get id(): string {
    return basename(this.home);
  }

  get ledger(): string {
    return join(this.home, 'ledger');
  }

  get adminKey(): string {
    return keyIn(this.home);
  }

  keep(proxy: Proxy): Proxy {
    this.proxies.push(proxy);
    return proxy;
  }

  /** Starts apps, each in a place of its own that has a name (worker-1); resolves when all run. */
  async start(names: readonly string[], options: PlaceOptions = {}): Promise<void> {
    for (const name of names) {
      this.places.set(name, { ...options, kind: kindOf(name), lives: 0, app: undefined });
      this.launch(name);
    }
    await Promise.all(names.map((name) => this.app(name).ready()));
  }

  app(name: string): App {
    const app = this.places.get(name)?.app;
    if (app === undefined) throw new Error(`there is no ${name}`);
    return app;
  }

  /** What the app that is in this place now is called in the history. */
  workerId(name: string): string {
    return `${this.id}-${name}-${this.places.get(name)?.lives ?? 0}`;
  }

  /** SIGKILL, and a new one in its place. Resolves when the old one is gone; the new one may still be starting. */
  async kill(name: string): Promise<void> {
    const app = this.app(name);
    this.kills.push({ name, workerId: this.workerId(name), at: Date.now() });
    app.signal('SIGKILL');
    await app.ended;
    this.launch(name);
  }

  /** SIGSTOP: it is there and does nothing. What it had is to be with another one in time, as after a kill. */
  freeze(name: string): void {
    this.kills.push({ name, workerId: this.workerId(name), at: Date.now() });
    this.app(name).signal('SIGSTOP');
  }

  thaw(name: string): void {
    this.app(name).signal('SIGCONT');
  }

  /** A worker that can't be reached from now on counts as lost. */
  cutOff(name: string): void {
    this.kills.push({ name, workerId: this.workerId(name), at: Date.now() });
  }

  /** SIGKILL, and nobody in its place. */
  async remove(name: string): Promise<void> {
    const app = this.app(name);
    this.kills.push({ name, workerId: this.workerId(name), at: Date.now() });
    app.signal('SIGKILL');
    await app.ended;
    this.places.delete(name);
  }

  private launch(name: string): void {
    const place = this.places.get(name);
    if (place === undefined || this.closing) return;
    place.lives += 1;
    const redis = place.redis?.through(this.services.redisUrl) ?? this.services.redisUrl;
    const env = { ...this.env, REDIS_URL: redis, LATTICE_WORKER_ID: this.workerId(name), ...place.env };
    const app = startApp(place.kind, env, join(this.home, 'logs', `${name}.${place.lives}.log`));
    place.app = app;
    void app.ended.then(async ({ code, signal }) => {
      if (app.stopping()) return;
      const lastWords = readFileSync(app.logFile, 'utf8').slice(-1_000);
      this.deaths.push({ name, how: signal ?? `exit code ${code}`, lastWords });
      await delay(AGAIN_MS);
      if (place.app === app) this.launch(name);
    });
  }

  /** Lines of the logs at level error or worse, and lines that are no log at all. */
  complaints(): string[] {
    const folder = join(this.home, 'logs');
    return readdirSync(folder).flatMap((file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !isHarmless(line))
        .map((line) => `${file}: ${line}`),
    );
  }

  /** Ends the apps politely, worker first; those that don't end in time are killed and told as a death. */
  async stopApps(): Promise<void> {
    this.closing = true;
    for (const kind of ['worker', 'scheduler', 'api'] as const) {
      const apps = [...this.places].flatMap(([name, { app }]) => (app?.kind === kind ? [{ name, app }] : []));
      await Promise.all(
        apps.map(async ({ name, app }) => {
          app.signal('SIGTERM');
          const late = setTimeout(() => {
            this.deaths.push({ name, how: `not ended ${STOP_MS} ms after SIGTERM`, lastWords: '' });
            app.signal('SIGKILL');
          }, STOP_MS);
          await app.ended;
          clearTimeout(late);
        }),
      );
    }
  }

  /** Processes that still speak of this world once its apps are gone. */
  async leftProcesses(): Promise<string[]> {
    const left = await eventually(
      'no process is left',
      () => (processesWith(this.id).length === 0 ? [] : undefined),
      10_000,
    ).catch(() => processesWith(this.id));
    return left;
  }

  async close(): Promise<void> {
    await this.stopApps();
    await this.pg.end();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await this.services.stop();
    if (process.env['CHAOS_KEEP'] === undefined) rmSync(this.home, { recursive: true, force: true });
  }
}

function kindOf(name: string): Kind {
  const kind = name.split('-')[0];
  if (kind === 'api' || kind === 'scheduler' || kind === 'worker') return kind;
  throw new Error(`${name} is no app`);
}

function keyIn(home: string): string {
  return readFileSync(join(home, 'admin.key'), 'utf8').trim();
}

function isHarmless(line: string): boolean {
  return /^\{"level":"(trace|debug|info|warn)"/.test(line);
}

/** "PID COMMAND" of each living process whose command line or environment holds the text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const [command = '', environment = ''] = ['cmdline', 'environ'].map((file) =>
        readFileSync(`/proc/${pid}/${file}`, 'latin1'),
      );
      if (!command.includes(text) && !environment.includes(text)) return [];
      return [`${pid} ${command.replaceAll('\0', ' ').trim()}`];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
