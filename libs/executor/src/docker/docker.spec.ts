import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildImage } from '../../test/images';
import {
  code,
  collector,
  common,
  dockerAnswers,
  errorOf,
  eventually,
  MEBIBYTE,
  newFolder,
  outputOf,
  type Overrides,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import { parseStamp } from '../owner';
import type { ContainerProgram, Execution } from '../port';
import { OWNER_LABEL } from './container-spec';
import { connectEngine } from './engine';

type Container = ContainerProgram['container'];

/** Has 76 MiB of data, and reads 40 MiB of a file again and again, in no order. */
const STARVED = `
import mmap, os, random
path = os.environ['LATTICE_ARTIFACTS'] + '/file'
with open(path, 'wb') as file:
  for _ in range(40): file.write(os.urandom(1 << 20))
  os.fsync(file.fileno())
file = open(path, 'rb')
pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
pages.madvise(mmap.MADV_RANDOM)
order = list(range(0, 40 << 20, 4096))
random.shuffle(order)
data = bytearray(b'x') * (76 << 20)
print('reading', flush=True)
while True:
  for place in order: pages[place]`;

const withDocker = dockerAnswers() ? describe : describe.skip;

withDocker('containers', () => {
  const workerId = `docker-${process.pid}`;
  const { client } = connectEngine();
  const workRoot = newFolder();
  let executors: Executors;

  beforeAll(() => {
    executors = createExecutors({ workerId, workRoot });
  });
  afterEach(async () => {
    expect(await containersOf(workerId)).toEqual([]);
    // The copy of the runners stays for the tasks to come.
    expect(readdirSync(workRoot).filter((name) => !name.endsWith('~0'))).toEqual([]);
  });
  afterAll(async () => {
    await executors.close();
    expect(readdirSync(workRoot)).toEqual([]);
    rmSync(workRoot, { recursive: true });
  });

  async function containersOf(id: string): Promise<string[]> {
    const list = await client.listContainers({ all: true, filters: { label: [OWNER_LABEL] } });
    return list.filter((one) => parseStamp(one.Labels[OWNER_LABEL] ?? '')?.workerId === id).map((one) => one.Id);
  }

  function container(more: Partial<Container>, overrides?: Overrides): Execution {
    return { ...common(overrides), uses: 'container', container: { image: 'lattice/node', env: {}, ...more } };
  }
  const submit = (more: Partial<Container>, overrides?: Overrides) =>
    executors.forTask('container').submit(container(more, overrides));
  const node = (script: string, overrides?: Overrides, more: Partial<Container> = {}) =>
    submit({ command: ['node', '-e', script], ...more }, overrides);
  /** What the script assigns to `out` is the output. */
  const evaluate = async (script: string, overrides?: Overrides, more?: Partial<Container>) =>
    outputOf(
      await node(
        `const fs = require('fs'); let out; ${script}; fs.writeFileSync(process.env.LATTICE_OUTPUT, JSON.stringify(out))`,
        overrides,
        more,
      ).result(),
    );

  it('read the input file and write the output file', async () => {
    const script = 'out = { got: JSON.parse(fs.readFileSync(process.env.LATTICE_INPUT)) }';
    expect(await evaluate(script, { input: ['\ud800', 1] })).toEqual({ got: ['\ud800', 1] });
  });

  it('that write no output have the output null', async () => {
    expect(await node('0').result()).toEqual({ status: 'completed', outputJson: 'null' });
  });

  it('whose output is not JSON have failed', async () => {
    const outcome = await node('require("fs").writeFileSync(process.env.LATTICE_OUTPUT, "hello")').result();
    expect(errorOf(outcome).code).toBe('output_not_json');
  });

  it('are not root, cannot write the image, the input or the kernel, have no network and no capabilities', async () => {
    const script = `
      const tryTo = (what) => { try { what(); return 'done' } catch (error) { return error.code } };
      const status = Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t')));
      out = {
        user: [process.getuid(), process.getgid()],
        root: tryTo(() => fs.writeFileSync('/etc/mine', '')),
        input: tryTo(() => fs.writeFileSync(process.env.LATTICE_INPUT, '')),
        temp: tryTo(() => fs.writeFileSync('/tmp/mine', '')),
        network: Object.keys(require('os').networkInterfaces()),
        capabilities: [status.CapEff, status.CapBnd], newPrivileges: status.NoNewPrivs, seccomp: status.Seccomp,
        first: fs.readFileSync('/proc/1/comm', 'utf8').trim(),
      }`;
    expect(await evaluate(script)).toEqual({
      user: [65534, 65534],
      root: 'EROFS',
      input: 'EROFS',
      temp: 'done',
      network: ['lo'],
      capabilities: ['0000000000000000', '0000000000000000'],
      newPrivileges: '1',
      seccomp: '2',
      first: 'docker-init',
    });
  });

  it('get a network when they ask for it', async () => {
    const script = 'out = Object.keys(require("os").networkInterfaces())';
    expect(await evaluate(script, {}, { network: 'bridge' })).toContain('eth0');
  });

  it('get environment, entrypoint, working folder and limits', async () => {
    const script = 'out = [process.env.A, process.env.B, process.cwd(), process.argv.at(-1)]';
    const words = `const fs = require('fs'); let out; ${script}; fs.writeFileSync(process.env.LATTICE_OUTPUT, JSON.stringify(out))`;
    const outcome = await submit(
      { entrypoint: ['node', '-e', words], command: ['last'], workdir: '/tmp', env: { A: 'image', B: 'image' } },
      { env: { B: 'task' } },
    ).result();
    expect(outputOf(outcome)).toEqual(['image', 'task', '/tmp', 'last']);
  });

  it('that exit with another code have failed with it', async () => {
    const log = collector();
    const outcome = await node('console.log("out"); console.error("err"); process.exit(7)', {
      onLog: log.onLog,
    }).result();
    expect(errorOf(outcome)).toMatchObject({ code: 'task_failed', details: { exitCode: 7, stderr: 'err\n' } });
    expect([log.text('stdout'), log.text('stderr')]).toEqual(['out\n', 'err\n']);
  });

  it('that take too much memory are out of memory, by the word of the kernel', async () => {
    const script = 'const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1))';
    const error = errorOf(await node(script, { limits: { memoryBytes: 64 * MEBIBYTE } }).result());
    expect(error).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 64 * MEBIBYTE } });
  });

  it('that wait for files all the time, as their data leave no memory for them, are out of memory, not of time', async () => {
    const log = collector();
    const outcome = await submit(
      { image: 'lattice/python', command: ['python3', '-c', STARVED] },
      { limits: { memoryBytes: 96 * MEBIBYTE, timeoutMs: 8_000 }, onLog: log.onLog },
    ).result();
    expect(log.text('stdout')).toBe('reading\n');
    expect(errorOf(outcome)).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 96 * MEBIBYTE } });
  });

  it('are held to their limits of processor and processes', async () => {
    const log = collector();
    const handle = node('console.log("up"); setInterval(() => {}, 1000)', {
      onLog: log.onLog,
      limits: { cpu: 0.5, processes: 4, memoryBytes: 64 * MEBIBYTE },
    });
    await eventually(() => log.text().includes('up'));
    const [id = ''] = await containersOf(workerId);
    const { HostConfig } = await client.getContainer(id).inspect();
    expect(HostConfig).toMatchObject({ NanoCpus: 500_000_000, PidsLimit: 128, MemorySwap: 64 * MEBIBYTE });
    await handle.cancel('enough');
  });

  it('that someone else kills were killed, which is not out of memory', async () => {
    const log = collector();
    const handle = node('console.log("up"); setInterval(() => {}, 1000)', { onLog: log.onLog });
    await eventually(() => log.text().includes('up'));
    const [id = ''] = await containersOf(workerId);
    await client.getContainer(id).kill({ signal: 'SIGKILL' });
    expect(errorOf(await handle.result())).toMatchObject({ code: 'killed', details: { signal: 'SIGKILL' } });
  });

  it('of an image that nobody has name it, and what to do', async () => {
    const error = errorOf(await submit({ image: 'lattice.invalid/no-such-image:1' }).result());
    expect(error).toMatchObject({ code: 'image_pull_failed', details: { image: 'lattice.invalid/no-such-image:1' } });
    expect(error.message).toContain('docker import');
  });

  it('whose image is not a name at all have failed, too', async () => {
    for (const image of ['Not A Name', '../containers/x', 'a?b', '']) {
      expect(errorOf(await submit({ image }).result())).toMatchObject({ code: 'image_not_found', retryable: false });
    }
  });

  it('whose command is not in the image have failed', async () => {
    const error = errorOf(await submit({ command: ['no-such-command'] }).result());
    expect(error).toMatchObject({ code: 'task_failed' });
    expect(error.message + String(error.details['stderr'])).toContain('no-such-command');
  });

  it('of a worker that died are removed by the next, those of a living one are not', async () => {
    const id = `docker-dead-${process.pid}`;
    const script = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
    const program = {
      uses: 'container',
      container: {
        image: 'lattice/node',
        env: {},
        command: ['node', '-e', 'console.log("up"); setInterval(() => {}, 1000)'],
      },
    };
    const otherRoot = newFolder();
    const args = ['--conditions=lattice-source', script, id, otherRoot, 'docker', JSON.stringify(program)];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(worker.stdout, 'data');
    const next = createExecutors({ workerId: `${id}-next`, workRoot: otherRoot });
    expect(await next.reapOrphans()).toMatchObject({ containers: 0, folders: 0 });
    expect(await containersOf(id)).toHaveLength(1);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await next.reapOrphans();
    expect(await containersOf(id)).toEqual([]);
    expect(readdirSync(otherRoot)).toEqual([]);
    await next.close();
    rmSync(otherRoot, { recursive: true });
  });

  it('run code with its own image and the same runner', async () => {
    const outcome = await executors
      .forTask('code', 'docker')
      .submit(code('python', 'import os\ndef main(input):\n  return os.getuid()'))
      .result();
    expect(outputOf(outcome)).toBe(65534);
  });

  it('run as the user that the image names', async () => {
    const remove = await buildImage(client, 'lattice-test/user', ['FROM lattice/node', 'USER 1234:1234']);
    try {
      expect(await evaluate('out = process.getuid()', {}, { image: 'lattice-test/user' })).toBe(1234);
    } finally {
      await remove();
    }
  });

  it('end when the executors are closed', async () => {
    const own = createExecutors({ workerId, workRoot });
    const log = collector();
    const program = { command: ['node', '-e', 'console.log("up"); setInterval(() => {}, 1000)'] };
    const handle = own.forTask('container').submit(container(program, { onLog: log.onLog }));
    await eventually(() => log.text().includes('up'));
    await own.close();
    expect(handle.outcome).toEqual({ status: 'cancelled' });
  });
});
