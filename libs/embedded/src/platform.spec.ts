import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port';
import { homePaths, removeHome } from './home';
import { readLock } from './launcher-lock';
import { readPidFile } from './pid-file';
import { startPlatform, type Platform, type PlatformOptions, type PlatformStatus } from './platform';

/** Stand-ins for the real apps: what the launcher needs of them is only a port, a life and an end. */
const apiProgram = `
  const server = require('node:http').createServer((request, response) => {
    response.statusCode = request.url === '/health/ready' ? 200 : 404;
    response.end(JSON.stringify({ redis: process.env.REDIS_URL, key: process.env.LATTICE_ADMIN_KEY_FILE }));
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
`;
const noteTheEnd = (name: string): string => `
  process.on('SIGTERM', () => {
    require('node:fs').appendFileSync(process.env.LATTICE_HOME + '/ends', '${name} ');
    process.exit(0);
  });
  setInterval(() => undefined, 60000);
`;

const folders: string[] = [];
const running: Platform[] = [];
const servers: Server[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lattice-platform-'));
  folders.push(folder);
  return folder;
}

function makeApps(changes: Readonly<Record<string, string>> = {}): string {
  const appsDir = newFolder();
  for (const name of ['api', 'scheduler', 'worker']) {
    mkdirSync(join(appsDir, name, 'dist'), { recursive: true });
    const program = changes[name] ?? noteTheEnd(name) + (name === 'api' ? apiProgram : '');
    writeFileSync(join(appsDir, name, 'dist', 'main.js'), program);
  }
  return appsDir;
}

async function start(options: PlatformOptions): Promise<Platform> {
  const env = { PATH: process.env['PATH'], ...options.env };
  const platform = await startPlatform({ fsync: false, port: await freePort(), ...options, env });
  running.push(platform);
  return platform;
}

/** A platform on services of "another machine": nothing needs them here, so nothing is started for them. */
const elsewhere = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none' };

function isRefused(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

afterEach(async () => {
  for (const platform of running.splice(0)) await platform.stop();
  for (const server of servers.splice(0)) server.close();
  for (const folder of folders.splice(0)) removeHome(homePaths(folder));
});

describe('startPlatform', () => {
  it('starts services and apps, and stops worker, scheduler, api in this order', async () => {
    const home = newFolder();
    const platform = await start({ home, appsDir: makeApps() });
    const ready = await (await fetch(`${platform.url}/health/ready`)).json();
    expect(ready).toEqual({ redis: platform.redisUrl, key: join(home, 'admin.key') });
    expect(readFileSync(platform.adminKeyFile, 'utf8')).toMatch(/^lat_[A-Za-z0-9_-]{43}\n$/);
    expect(statSync(platform.adminKeyFile).mode & 0o777).toBe(0o600);
    expect(readLock(homePaths(home))).toMatchObject({ pid: process.pid, url: platform.url });
    expect(readdirSync(homePaths(home).logs).sort()).toEqual(
      ['api.log', 'postgres.log', 'redis.log', 'scheduler.log', 'worker.log'], //
    );
    await Promise.all([platform.stop(), platform.stop()]);
    expect(readFileSync(join(home, 'ends'), 'utf8')).toBe('worker scheduler api ');
    expect(readdirSync(homePaths(home).run)).toEqual([]);
    expect(await isRefused(platform.url)).toBe(true);
  });

  it('keeps the admin key of an earlier start', async () => {
    const home = newFolder();
    writeFileSync(join(home, 'admin.key'), 'lat_mine\n');
    await start({ home, appsDir: makeApps(), env: elsewhere });
    expect(readFileSync(join(home, 'admin.key'), 'utf8')).toBe('lat_mine\n');
  });

  it('refuses a taken port before anything starts', async () => {
    const home = newFolder();
    const port = await freePort();
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const refused = start({ home, port, appsDir: makeApps() });
    await expect(refused).rejects.toMatchObject({ code: 'port_taken', message: expect.stringContaining('PORT') });
    expect(readdirSync(homePaths(home).logs)).toEqual([]);
    expect(readdirSync(homePaths(home).run)).toEqual([]);
  });

  it('refuses a second start on one home with the URL of the first', async () => {
    const home = newFolder();
    const platform = await start({ home, appsDir: makeApps(), env: elsewhere });
    const second = start({ home, appsDir: makeApps(), env: elsewhere });
    await expect(second).rejects.toMatchObject({ code: 'home_busy', details: { url: platform.url } });
    await expect(second).rejects.toThrow(platform.url);
  });

  it('says which app died while starting, how, and what it said last', async () => {
    const home = newFolder();
    const worker = `console.error('no such setting'); process.exit(3);`;
    const appsDir = makeApps({ worker, api: noteTheEnd('api') });
    const failed = start({ home, appsDir, env: elsewhere });
    await expect(failed).rejects.toMatchObject({ code: 'app_failed', details: { app: 'worker', code: 3 } });
    await expect(failed).rejects.toThrow(/worker died.*exit code 3[^]*no such setting/);
    expect(readdirSync(homePaths(home).run)).toEqual([]);
  });

  it('gives up on an app that never gets ready', async () => {
    const appsDir = makeApps({ api: noteTheEnd('api') });
    const failed = start({ home: newFolder(), appsDir, env: elsewhere, readyLimitMs: 200 });
    await expect(failed).rejects.toMatchObject({ code: 'not_ready' });
  });

  it('reports an app that dies later and keeps serving the others', async () => {
    const home = newFolder();
    const seen: PlatformStatus[] = [];
    const platform = await start({
      home,
      appsDir: makeApps(),
      env: elsewhere,
      onStatus: (status) => seen.push(status),
    });
    const died = new Promise((resolve) => platform.onAppExit(resolve));
    process.kill(readPidFile(homePaths(home).run, 'worker')?.pid ?? NaN, 'SIGKILL');
    const exit = { name: 'worker', code: null, signal: 'SIGKILL' };
    expect(await died).toMatchObject(exit);
    expect(seen.at(-1)).toMatchObject({ kind: 'exit', exit });
    expect((await fetch(`${platform.url}/health/ready`)).status).toBe(200);
  });

  it('can be stopped half way', async () => {
    const home = newFolder();
    const stop = new AbortController();
    const appsDir = makeApps({ api: noteTheEnd('api') });
    const onStatus = (status: PlatformStatus): void => {
      if (status.kind === 'step' && status.text.includes('api')) stop.abort();
    };
    const stopped = start({ home, appsDir, env: elsewhere, signal: stop.signal, onStatus });
    await expect(stopped).rejects.toMatchObject({ code: 'stopped' });
    expect(readdirSync(homePaths(home).run)).toEqual([]);
  });
});
