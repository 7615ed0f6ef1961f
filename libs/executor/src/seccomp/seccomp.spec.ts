import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  bubblewrapWorks,
  code,
  collector,
  errorOf,
  eventually,
  MEBIBYTE,
  newFolder,
  outputOf,
  ownSeconds,
  processesWith,
  sleepersOf,
  type Overrides,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { Outcome } from '../port';

const SECONDS = ownSeconds(111);
const FAMILY = `import { spawn } from 'node:child_process';
  export default () => {
    for (const detached of [false, true]) spawn('sleep', ['${SECONDS}'], { detached, stdio: 'ignore', env: {} });
    console.log('up'); for (;;); }`;

const withBubblewrap = bubblewrapWorks() ? describe : describe.skip;
const workerId = `seccomp-${process.pid}`;
let executors: Executors;
let workRoot: string;

beforeEach(() => {
  workRoot = newFolder();
  executors = createExecutors({ workerId, workRoot });
});
afterEach(async () => {
  await executors.close();
  expect(processesWith(`LATTICE_OWNER=${workerId}`)).toEqual([]);
  expect(readdirSync(workRoot)).toEqual([]);
  rmSync(workRoot, { recursive: true });
});

const submit = (source: string, overrides?: Overrides) =>
  executors.forTask('code', 'seccomp').submit(code('javascript', source, overrides));

/** A worker whose PATH has this script in the place of bubblewrap. */
async function withBwrap(script: string | undefined, source = 'export default () => "ran"') {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  if (script !== undefined) writeFileSync(path.join(folder, 'bwrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const other = createExecutors({ workerId, workRoot, searchPath: folder });
  const outcome = await other.forTask('code', 'seccomp').submit(code('javascript', source)).result();
  await other.close();
  rmSync(folder, { recursive: true });
  return outcome;
}

async function startWorker(id: string): Promise<ChildProcess> {
  const script = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
  const program = JSON.stringify({ uses: 'code', code: { language: 'javascript', source: FAMILY } });
  const worker = spawn(process.execPath, ['--conditions=lattice-source', script, id, workRoot, 'seccomp', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text]: unknown[] = await once(worker.stdout, 'data');
  expect(String(text)).toContain('up');
  return worker;
}

it('without bubblewrap is refused, with what to type', async () => {
  const error = errorOf(await withBwrap(undefined));
  expect(error).toMatchObject({ code: 'sandbox_failed', retryable: false });
  expect(error.message).toContain('sudo apt-get install bubblewrap');
});

withBubblewrap('level seccomp', () => {
  it('fails the task when the filter can not be installed', async () => {
    const error = errorOf(await withBwrap('exec /usr/bin/bwrap "$@" 4</dev/null'));
    expect(error).toMatchObject({ code: 'sandbox_failed', retryable: false });
    expect(error.message).toContain('was not run');
    // The same way with the filter as it is does run.
    expect(outputOf(await withBwrap('exec /usr/bin/bwrap "$@"'))).toBe('ran');
  });

  it('fails the task where this user may not make user namespaces, and says what to do', async () => {
    const forbid = 'echo 0 >/proc/sys/user/max_user_namespaces && exec /usr/bin/bwrap "$@"';
    const error = errorOf(await withBwrap(`exec /usr/bin/unshare -r /bin/sh -c '${forbid}' sh "$@"`));
    expect(error).toMatchObject({ code: 'sandbox_failed', retryable: false });
    expect(error.message).toContain('user.max_user_namespaces');
  });

  it('ends all processes of a task when its worker is killed', async () => {
    const id = `sealed-${process.pid}`;
    const worker = await startWorker(id);
    const sleepers = () => sleepersOf(SECONDS);
    expect(await eventually(() => (sleepers().length === 2 ? sleepers() : undefined))).toHaveLength(2);
    worker.kill('SIGKILL');
    await eventually(() => sleepers().length === 0, 3_000);
    await eventually(() => processesWith(`${id}~`).length === 0);
    expect(await executors.reapOrphans()).toMatchObject({ processes: 0, folders: 2 });
  });

  it('gives a working folder, a temporary folder of limited size, and no input on stdin', async () => {
    const source = `import { readFileSync, statfsSync, writeFileSync, readdirSync } from 'node:fs';
      export default () => { writeFileSync('mine', ''); const { bsize, blocks } = statfsSync('/tmp');
        return [process.cwd(), process.env.HOME, readdirSync('.'), readFileSync(0, 'utf8'), bsize * blocks] }`;
    const memoryBytes = 128 * 1024 * 1024;
    expect(outputOf(await submit(source, { limits: { memoryBytes } }).result())).toEqual([
      '/tmp/work',
      '/tmp/work',
      ['mine'],
      '',
      memoryBytes,
    ]);
  });

  it('runs as nobody, without rights, with the filter on and no descriptor left open', async () => {
    const source = `import { readFileSync, readdirSync } from 'node:fs';
      export default () => { const status = readFileSync('/proc/self/status', 'utf8');
        const field = (name) => new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(status)[1].split(/\\s+/);
        return { uid: field('Uid'), groups: process.getgroups(), caps: ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => Number('0x' + field(name)[0])),
          seccomp: field('Seccomp')[0], noNewPrivileges: field('NoNewPrivs')[0], root: readdirSync('/').sort(), pids: readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length } }`;
    expect(outputOf(await submit(source).result())).toMatchObject({
      uid: ['65534', '65534', '65534', '65534'],
      caps: [0, 0, 0, 0, 0],
      seccomp: '2',
      noNewPrivileges: '1',
      pids: 2,
    });
    const descriptors = `import os
def main(input):
  names = {}
  for fd in os.listdir("/proc/self/fd"):
    try: names[int(fd)] = os.readlink("/proc/self/fd/" + fd)
    except FileNotFoundError: pass
  return [names[fd] for fd in names if fd > 2 and names[fd] != "/dev/null"]`;
    const python = executors.forTask('code', 'seccomp').submit(code('python', descriptors));
    expect(outputOf(await python.result())).toEqual([]);
  });

  it('has the runner of Python compiled, and still tells errors by the places in the source of the task', async () => {
    const run = (body: string) =>
      executors
        .forTask('code', 'seccomp')
        .submit(code('python', `import sys\ndef main(input):\n  ${body}`))
        .result();
    expect(outputOf(await run('return sys.modules["__main__"].__file__'))).toBe('/lattice/kit/python.pyc');
    const { details } = errorOf(await run('return 1 / 0'));
    expect(details['stack']).toMatch(
      /^ {2}File "task\.py", line 3, in main\n(.*\n)*ZeroDivisionError: division by zero\n$/,
    );
  });

  describe('of memory that no process owns', () => {
    /** Without control groups, by which the kernel would count it. */
    async function run(body: string, memoryBytes: number): Promise<Outcome> {
      const other = createExecutors({ workerId, workRoot, controlGroups: false });
      const source = `import ctypes, mmap, os, platform, time\ndef main(input):\n  ${body}`;
      const task = code('python', source, { limits: { memoryBytes } });
      const outcome = await other.forTask('code', 'seccomp').submit(task).result();
      await other.close();
      return outcome;
    }

    it.each([
      ['files in /dev/shm', 'open("/dev/shm/x", "wb").write(b"x" * (56 << 20))'],
      ['names in /dev/shm', 'for n in range(100_000): os.close(os.open("/dev/shm/" + str(n), os.O_CREAT))'],
    ])('counts %s', async (_, body) => {
      const error = errorOf(await run(`${body}\n  while True: time.sleep(1)`, 48 * MEBIBYTE));
      expect(error).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 48 * MEBIBYTE } });
    });

    it('counts a file that processes have mapped once', async () => {
      const body = `with open("/dev/shm/x", "wb+") as file:
    file.truncate(40 << 20)
    view = mmap.mmap(file.fileno(), 40 << 20)
    view[:] = b"x" * (40 << 20)
  if os.fork() == 0:
    while True: view[::4096]; time.sleep(0.01)
  for n in range(100): view[::4096]; time.sleep(0.01)
  return "done"`;
      expect(outputOf(await run(body, 96 * MEBIBYTE))).toBe('done');
    });

    it('gives none by semaphores', async () => {
      const body = `libc = ctypes.CDLL(None, use_errno=True)
  return [libc.syscall(190 if platform.machine() == "aarch64" else 64, 0, 32_000, 0o1600), ctypes.get_errno()]`;
      expect(outputOf(await run(body, 48 * MEBIBYTE))).toEqual([-1, 38]);
    });
  });

  it('runs many at once, each with its own output', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => submit('export default (n) => n', { input: n }).result()),
    );
    expect(outcomes.map(outputOf)).toEqual(Array.from({ length: 8 }, (_, n) => n));
  });

  it('leaves the worker to its other work when a task has as many processes as the kernel lets it', async () => {
    const source = `import os\ndef main(input):\n  while True:\n    try: os.fork()\n    except OSError: pass`;
    let latest = performance.now();
    let longest = 0;
    const heart = setInterval(() => {
      longest = Math.max(longest, performance.now() - latest);
      latest = performance.now();
    }, 20);
    const task = code('python', source, { limits: { processes: 32, timeoutMs: 1_500 } });
    const error = errorOf(await executors.forTask('code', 'seccomp').submit(task).result());
    clearInterval(heart);
    expect(['timeout', 'task_failed']).toContain(error.code);
    expect(longest).toBeLessThan(1_500);
  });

  it('ends what runs when it is closed', async () => {
    const log = collector();
    const handle = submit(FAMILY, { onLog: log.onLog });
    await eventually(() => log.text().includes('up'));
    await executors.close();
    expect(handle.outcome).toEqual({ status: 'cancelled' });
    expect(sleepersOf(SECONDS)).toEqual([]);
  });

  it('says by which signal a task was ended', async () => {
    const source = `export default () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => setInterval(() => {}, 1000)) }`;
    expect(errorOf(await submit(source).result())).toMatchObject({ code: 'killed', details: { signal: 'SIGKILL' } });
  });
});
