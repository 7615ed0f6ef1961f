import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './support';

/** The only user of the registry. */
export const LOGIN = { username: 'puller', password: 'pull-password-1' };
const HTPASSWD = 'puller:$2y$04$8kYXOR3UftGWsOkt1R5qWeiQOSmEIDve/CU1O9yE5u7oHmelEwpky\n';
const MEGABYTE = 1_000_000;

/** Why there can be no registry here; undefined when there can. With LATTICE_TEST_REGISTRY=required that is a failure. */
export function whyNoRegistry(): string | undefined {
  const isThere = spawnSync('docker-registry', ['--version'], { timeout: 10_000 }).status === 0;
  if (isThere) return undefined;
  const reason = 'there is no docker-registry here: apt-get install docker-registry';
  if (process.env['LATTICE_TEST_REGISTRY'] === 'required')
    throw new Error(`LATTICE_TEST_REGISTRY=required, but ${reason}`);
  return reason;
}

export interface Registry {
  /** Host and port. Pulls come through here, and can be held up. */
  readonly address: string;
  /** Requests for layers that came, by path. */
  readonly asked: string[];
  /** Layers come in small pieces while it is on, and break off when it goes off. */
  slow(on: boolean): void;
  /** How many layers are on their way. */
  readonly underway: number;
  /** Pushes an image of a shell and three layers of 2 MB each, and removes it here. Its name, as it is to be pulled. */
  push(name: string): Promise<string>;
  close(): Promise<void>;
}

/** A registry that wants a login, and a proxy before it. */
export async function startRegistry(): Promise<Registry> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lattice-registry-'));
  const port = await freePort();
  writeFileSync(path.join(folder, 'htpasswd'), HTPASSWD);
  writeFileSync(path.join(folder, 'config.yml'), configOf(folder, port));
  const child = spawn('docker-registry', ['serve', path.join(folder, 'config.yml')], { stdio: 'ignore' });
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined))?.status === 401);
  const state = { slow: false, underway: 0, asked: [] as string[] };
  const proxy = proxyTo(port, state);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    address,
    asked: state.asked,
    slow: (on) => (state.slow = on),
    get underway() {
      return state.underway;
    },
    push: async (name) => {
      pushImage(path.join(folder, name), `127.0.0.1:${port}/${name}:1`);
      return Promise.resolve(`${address}/${name}:1`);
    },
    close: async () => {
      proxy.closeAllConnections();
      proxy.close();
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, port: number): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: path.join(folder, 'data') } },
    http: { addr: `127.0.0.1:${port}` },
    auth: { htpasswd: { realm: 'test', path: path.join(folder, 'htpasswd') } },
  });
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function proxyTo(port: number, state: { slow: boolean; underway: number; asked: string[] }): Server {
  return createServer((incoming, response) => {
    const { method, url = '', headers } = incoming;
    const isLayer = url.includes('/blobs/');
    const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      if (!isLayer || answer.statusCode !== 200) return void answer.pipe(response);
      state.asked.push(url);
      state.underway += 1;
      response.once('close', () => (state.underway -= 1));
      answer.on('data', (chunk: Buffer) => {
        response.write(chunk);
        if (!state.slow) return;
        answer.pause();
        setTimeout(() => answer.resume(), 100);
      });
      answer.on('end', () => response.end());
    });
    outgoing.on('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
}

/** The shell of this machine with its libraries, and layers that do not compress. */
function pushImage(folder: string, image: string): void {
  const root = path.join(folder, 'root');
  const libraries = execFileSync('ldd', [realpathSync('/bin/sh')], { encoding: 'utf8' }).match(/\/[^ \n]+/g) ?? [];
  for (const file of ['/bin/sh', ...libraries]) {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    copyFileSync(realpathSync(file), path.join(root, file));
  }
  const layers = ['a', 'b', 'c'];
  for (const layer of layers) writeFileSync(path.join(folder, layer), randomBytes(2 * MEGABYTE));
  const lines = ['FROM scratch', 'COPY root /', ...layers.map((layer) => `COPY ${layer} /${layer}`)];
  writeFileSync(path.join(folder, 'Dockerfile'), lines.join('\n'));
  const config = path.join(folder, 'docker');
  mkdirSync(config);
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [image.split('/')[0] ?? '']: { auth } } }));
  const docker = (...args: string[]): void => {
    const env = { ...process.env, DOCKER_BUILDKIT: '0' };
    execFileSync('docker', ['--config', config, ...args], { stdio: 'pipe', timeout: 60_000, env });
  };
  docker('build', '--tag', image, folder);
  docker('push', image);
  docker('rmi', image);
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
