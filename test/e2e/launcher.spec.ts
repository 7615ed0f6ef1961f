import { existsSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { freePort, homePaths, removeHome } from '@lattice/embedded';
import { z } from 'zod';
import { javascript } from './support/documents';
import { eventually } from '../support/eventually';
import { addressOf, apiOf, newHome } from './support/platform';
import { cleanEnv, endPrograms, lattice, processesWith, runToEnd, start, type Program } from './support/programs';

/**
 * The launcher as a new user meets it: nothing is set, so it brings its own Redis and Postgres. One home for all, in this
 * order: the first start, a start on what it left, an end by force.
 */
const home = newHome();
const servers: Server[] = [];
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  env = cleanEnv({ LATTICE_HOME: home, PORT: String(await freePort()) });
});
afterAll(async () => {
  await endPrograms();
  for (const server of servers) server.close();
  removeHome(homePaths(home));
});

const logs = ['api.log', 'postgres.log', 'redis.log', 'scheduler.log', 'worker.log'];
const runFiles = (): string[] => readdirSync(join(home, 'run'));
const keyOf = (): string => readFileSync(join(home, 'admin.key'), 'utf8');

function refuses(url: string): Promise<boolean> {
  return fetch(`${url}/health/live`).then(
    () => false,
    () => true,
  );
}

/** Those that speak of the home, and Postgres, whose data lies elsewhere where root may not make user namespaces. */
function processesOfHome(): number[] {
  const data = homePaths(home).postgresData;
  return [home, ...(existsSync(data) ? [realpathSync(data)] : [])].flatMap(processesWith);
}

async function nothingIsLeft(url: string): Promise<void> {
  await eventually(`the end of all processes of ${home}`, () => processesOfHome().length === 0);
  expect(await refuses(url)).toBe(true);
}

describe('npm start', () => {
  let npm: Program;
  let url: string;

  it('starts everything, runs hello with live progress, prints result and URL, and keeps serving', async () => {
    npm = start('npm', ['start'], env);
    await npm.prints('Ctrl-C stops it.', 120_000);
    const output = npm.output();
    expect(output).toContain('"text": "HELLO WORLD"');
    expect(output).toContain('"length": 11');
    // Progress came line by line, before the result.
    expect(output.indexOf('task.started greet')).toBeGreaterThan(0);
    expect(output.indexOf('task.started greet')).toBeLessThan(output.indexOf('outputs'));
    url = `http://127.0.0.1:${env['PORT']}`;
    expect(output).toContain(`Lattice is running at ${url}`);
    const api = apiOf(npm, home);
    expect(
      z
        .object({ runs: z.array(z.object({ workflow: z.string(), status: z.string() })) })
        .parse((await api.call('/v1/runs')).json()),
    ).toEqual({
      runs: [expect.objectContaining({ workflow: 'hello', status: 'completed' })],
    });
  });

  it('leaves the terminal to the progress: each part has its log and its pid file, the key is for its owner', () => {
    expect(readdirSync(join(home, 'logs')).sort()).toEqual(logs);
    for (const log of logs) expect(statSync(join(home, 'logs', log)).size).toBeGreaterThan(0);
    for (const name of ['api', 'scheduler', 'worker', 'postgres', 'redis']) {
      const pid = Number.parseInt(readFileSync(join(home, 'run', `${name}.pid`), 'utf8'), 10);
      expect(processesOfHome()).toContain(pid);
    }
    expect(statSync(join(home, 'admin.key')).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(npm.output()).not.toContain(keyOf().trim());
    expect(npm.output()).not.toMatch(/"level":|password/);
  });

  it('is found by the command line through its home', async () => {
    const { code, stdout } = await runToEnd(...lattice(['workers', '--json'], cleanEnv({ LATTICE_HOME: home })));
    expect(code).toBe(0);
    expect(stdout).toContain('"online"');
  });

  it('refuses a second start on its home, with the URL of the first', async () => {
    const { code, stdout, stderr } = await runToEnd(...lattice(['up'], { ...env, PORT: String(await freePort()) }));
    expect(stderr).toContain('already runs');
    expect(stderr).toContain(url);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(await refuses(url)).toBe(false);
  });

  it('leaves no process behind on Ctrl-C', async () => {
    npm.signalGroup('SIGINT');
    await npm.ended;
    expect(npm.output()).toContain('stopped');
    await nothingIsLeft(url);
    expect(runFiles()).toEqual([]);
  });
});

describe('lattice up', () => {
  it('refuses a taken port before anything starts, naming PORT', async () => {
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = addressOf(server.address());
    const other = newHome();
    const { code, stdout, stderr } = await runToEnd(
      ...lattice(['up'], cleanEnv({ LATTICE_HOME: other, PORT: String(port) })),
    );
    expect(stderr).toContain(`Port ${port} is in use`);
    expect(stderr).toContain('PORT');
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(existsSync(join(other, 'logs')) ? readdirSync(join(other, 'logs')) : []).toEqual([]);
    rmSync(other, { recursive: true });
  });

  it.each([
    [['--run', 'examples/nope.yaml', '--exit'], /no such file/],
    [['--exit'], /--run FILE/],
    [['--port', 'http'], /1 to 65535/],
  ])('with %j ends with 2 and starts nothing', async (args, says) => {
    const { code, stderr } = await runToEnd(...lattice(['up', ...args], env));
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
    expect(runFiles()).toEqual([]);
  });

  it('--exit takes any free port, prints one JSON document with --json, and ends with 0, on the key and data of before', async () => {
    const key = keyOf();
    const { PORT: _, ...withoutPort } = env;
    const args = ['up', '--run', 'examples/hello.yaml', '--exit', '--json'];
    const { code, stdout } = await runToEnd(...lattice(args, withoutPort), 120_000);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', outputs: { text: 'HELLO WORLD', length: 11 } });
    expect(code).toBe(0);
    expect(keyOf()).toBe(key);
    expect(processesOfHome()).toEqual([]);
  });

  it('that goes on after its run prints one JSON document with --json, and where it listens beside it', async () => {
    const going = start(...lattice(['up', '--run', 'examples/hello.yaml', '--json'], env));
    await going.prints('Ctrl-C stops it.', 120_000);
    going.signalGroup('SIGINT');
    const { stdout, stderr } = await going.ended;
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', outputs: { text: 'HELLO WORLD' } });
    expect(stderr).toContain(`Lattice is running at http://127.0.0.1:${env['PORT']}`);
  });

  it('--exit ends with 1 after a failed run, and what a killed launcher left is cleared away first', async () => {
    const killed = start(...lattice(['up'], env));
    await killed.prints('starting api, scheduler and worker', 120_000);
    process.kill(killed.pid, 'SIGKILL');
    await killed.ended;
    const file = join(home, 'fails.json');
    const source = "export default () => { throw new Error('no luck') }";
    writeFileSync(file, JSON.stringify({ name: 'fails', tasks: { bad: javascript(source) } }));
    const { code, stdout } = await runToEnd(...lattice(['up', '--run', file, '--exit'], env), 120_000);
    expect(stdout).toContain('no luck');
    expect(code).toBe(1);
    await nothingIsLeft(`http://127.0.0.1:${env['PORT']}`);
  });
});
