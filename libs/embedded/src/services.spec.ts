import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths, removeHome, repoRoot } from './home';
import { livingPidFiles, readPidFile, writePidFile } from './pid-file';
import { identify, isAlive } from './process-identity';
import { pingRedis } from './redis/ping';
import { startServices, type ServiceOptions, type Services } from './services';
import { waitUntil } from './wait-until';

const running: Services[] = [];
const children: ChildProcess[] = [];

/** One home for all of them: making a database takes ten times as long as starting it. */
let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lattice-embedded-'));
});
afterAll(() => removeHome(homePaths(home)));

async function start(options: Partial<ServiceOptions> = {}): Promise<Services> {
  const services = await startServices({ home, fsync: false, env: { PATH: process.env['PATH'] }, ...options });
  running.push(services);
  return services;
}

/** A launcher of its own process, which the test may kill. */
async function startLauncher(): Promise<ChildProcess> {
  const library = join(repoRoot, 'libs', 'embedded', 'dist', 'index.js');
  const program = `require(${JSON.stringify(library)})
    .startServices({ home: ${JSON.stringify(home)}, fsync: false, env: { PATH: process.env.PATH } })
    .then(() => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the launcher ended with ${code}`)));
    child.stdout.once('data', () => resolve());
  });
  child.removeAllListeners('exit');
  return child;
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}

function listens(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function isEmpty(folder: string): true | undefined {
  return readdirSync(folder).length === 0 ? true : undefined;
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const services of running.splice(0)) await services.stop();
  const { run } = homePaths(home);
  await waitUntil(() => (livingPidFiles(run).length === 0 ? true : undefined), { limitMs: 15_000 });
});

describe('startServices', () => {
  it('serves on private ports, keeps the data, and leaves nothing behind', async () => {
    const first = await start();
    expect(await listens(first.databaseUrl)).toBe(true);
    expect(await pingRedis(Number(new URL(first.redisUrl).port), passwordOf(first.redisUrl))).toBe(true);
    expect(await pingRedis(Number(new URL(first.redisUrl).port), 'guess')).toBe(false);
    const postgres = readPidFile(homePaths(home).run, 'postgres');
    expect(postgres && isAlive(postgres)).toBe(true);
    await first.stop();
    expect(readdirSync(homePaths(home).run)).toEqual([]);
    expect(await listens(first.databaseUrl)).toBe(false);
    expect(await listens(first.redisUrl)).toBe(false);

    const again = await start();
    expect(passwordOf(again.databaseUrl)).toBe(passwordOf(first.databaseUrl));
    expect(existsSync(join(home, 'redis', 'appendonlydir'))).toBe(true);
  });

  it('has a Unix socket beside each port, where its path is short enough', async () => {
    const near = await start();
    const { port, searchParams } = new URL(near.databaseUrl);
    expect(await accepts(join(searchParams.get('host') ?? '', `.s.PGSQL.${port}`))).toBe(true);
    expect(await accepts(new URL(near.redisUrl).searchParams.get('path') ?? '')).toBe(true);

    const far = await start({ home: join(home, 'far'.repeat(40)), throwAway: true });
    expect(await listens(far.databaseUrl)).toBe(true);
    expect(await listens(far.redisUrl)).toBe(true);
    expect([new URL(far.databaseUrl).search, new URL(far.redisUrl).search]).toEqual(['', '']);
  });

  it('uses the URLs that are given and starts only the rest', async () => {
    const redisUrl = 'redis://127.0.0.1:1';
    const services = await start({ env: { REDIS_URL: redisUrl, PATH: process.env['PATH'] } });
    expect(services.redisUrl).toBe(redisUrl);
    expect(await listens(services.databaseUrl)).toBe(true);
    expect(readPidFile(homePaths(home).run, 'redis')).toBeUndefined();
  });

  it('refuses a home that is in use', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'home_busy', details: { pid: process.pid } });
  });

  it('removes a throw-away home', async () => {
    const elsewhere = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    const other = join(home, 'throw-away');
    const services = await start({ home: other, throwAway: true, env: elsewhere });
    expect(existsSync(other)).toBe(true);
    await services.stop();
    expect(existsSync(other)).toBe(false);
  });

  it('reports a service that dies', async () => {
    const died: string[] = [];
    await start({ onExit: ({ name }) => died.push(name) });
    process.kill(readPidFile(homePaths(home).run, 'redis')?.pid ?? NaN, 'SIGKILL');
    await waitUntil(() => died[0], { limitMs: 10_000 });
    expect(died).toEqual(['redis']);
  });
});

describe('a killed launcher', () => {
  it('takes its services with it', async () => {
    const launcher = await startLauncher();
    const services = livingPidFiles(homePaths(home).run);
    expect(services.map(({ name }) => name).sort()).toEqual(['postgres', 'redis']);
    launcher.kill('SIGKILL');
    expect(await waitUntil(() => isEmpty(homePaths(home).run), { limitMs: 15_000 })).toBe(true);
    expect(services.filter(isAlive)).toEqual([]);
  });

  it('is cleaned up after by the next start', async () => {
    const launcher = await startLauncher();
    const services = livingPidFiles(homePaths(home).run);
    const ended = new Promise((resolve) => launcher.once('exit', resolve));
    launcher.kill('SIGKILL');
    await ended;
    await start();
    expect(services.filter(isAlive)).toEqual([]);
  });

  it('does not cost a stranger its life who got one of the pids', async () => {
    const { run, postgresData } = homePaths(home);
    await start().then((services) => services.stop());
    const stranger = spawn('sleep', ['60']);
    children.push(stranger);
    const identity = identify(stranger.pid ?? NaN);
    expect(identity).toBeDefined();
    mkdirSync(run, { recursive: true });
    writePidFile(run, 'redis', { pid: identity?.pid ?? NaN, started: 'earlier' });
    writeFileSync(join(postgresData, 'postmaster.pid'), `${identity?.pid}\n${postgresData}\n`);
    const services = await start();
    expect(identity && isAlive(identity)).toBe(true);
    expect(readFileSync(join(postgresData, 'postmaster.pid'), 'utf8')).not.toContain(`${identity?.pid}\n`);
    expect(await listens(services.redisUrl)).toBe(true);
  });
});
