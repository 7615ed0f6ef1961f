import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import {
  bubblewrapWorks,
  code,
  collector,
  dockerAnswers,
  errorOf,
  eventually,
  MEBIBYTE,
  newFolder,
  outputOf,
  processesWith,
  type Overrides,
} from '../test/support';
import { createExecutors, type Executors } from './executors';

/** What a task could do that it must not, tried at the levels that isolate; at `subprocess`, which does not, it succeeds. */
const LEVELS = [
  ...(bubblewrapWorks() ? (['seccomp'] as const) : []),
  ...(dockerAnswers() ? (['docker'] as const) : []),
];
const ROOT = process.getuid?.() === 0;
const EPERM = 1;
const ENOSYS = 38;

/** Tries each of a list of system calls in a process of its own; gives the number of the error of each, 0 when it worked. */
const SYSCALLS = `
import ctypes, os, platform
NUMBERS = {
  "ptrace": (101, 117), "process_vm_readv": (310, 270), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
  "unshare": (272, 97), "setns": (308, 268), "clone": (56, 220), "clone3": (435, 435), "fsopen": (430, 430), "open_tree": (428, 428),
  "socket": (41, 198), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280), "userfaultfd": (323, 282),
  "io_uring_setup": (425, 425), "perf_event_open": (298, 241), "kexec_load": (246, 104), "init_module": (175, 105), "delete_module": (176, 106),
  "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "syslog": (103, 116), "personality": (135, 92), "quotactl": (179, 60),
  "swapon": (167, 224), "reboot": (169, 142), "sethostname": (170, 161), "settimeofday": (164, 170), "fanotify_init": (300, 262),
  "pidfd_getfd": (438, 438), "kcmp": (312, 272), "memfd_create": (319, 279), "shmget": (29, 194),
  "socketpair": (53, 199)}
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, args):
  reader, writer = os.pipe()
  child = os.fork()
  if child == 0:
    ctypes.set_errno(0)
    words = [ctypes.c_char_p(a.encode()) if isinstance(a, str) else ctypes.c_long(a) for a in args]
    result = libc.syscall(ctypes.c_long(NUMBERS[name][platform.machine() == "aarch64"]), *words)
    os.write(writer, str(ctypes.get_errno() if result == -1 else 0).encode())
    os._exit(0)
  os.close(writer)
  text = os.read(reader, 16).decode()
  os.close(reader)
  os.waitpid(child, 0)
  return int(text or -1)
def main(input):
  return [attempt(name, args) for name, *args in input]
`;
const NEW_USER = 0x10000000;
const SIGCHLD = 17;

/** Calls that reach out of a task, or into parts of the kernel that tasks have no business with. Made so that they do no harm where they work. */
const FORBIDDEN: readonly (readonly [string, ...(string | number)[]])[] = [
  ['ptrace', 0, 0, 0, 0],
  ['ptrace', 16, 1, 0, 0],
  ['process_vm_readv', 1, 0, 0, 0, 0, 0],
  ['mount', 'none', '/tmp', 'tmpfs', 0, 0],
  ['umount2', '/tmp', 0],
  ['pivot_root', '/tmp', '/tmp'],
  ['chroot', '/'],
  ['unshare', NEW_USER],
  ['setns', 0, 0],
  ['clone', NEW_USER | SIGCHLD, 0, 0, 0, 0],
  ['fsopen', 'tmpfs', 0],
  ['open_tree', 0, '/', 1],
  ['add_key', 'user', 'lattice', 'x', 1, -3],
  ['request_key', 'user', 'lattice', 0, 0],
  ['keyctl', 0, -3, 0],
  ['bpf', 0, 0, 0],
  ['userfaultfd', 1],
  ['perf_event_open', 0, 0, 0, 0, 0],
  ['kexec_load', 0, 0, 0, 0],
  ['init_module', 0, 0, ''],
  ['delete_module', 'none', 0],
  ['open_by_handle_at', 0, 0, 0],
  ['name_to_handle_at', 0, '/', 0, 0, 0],
  ['syslog', 10, 0, 0],
  ['personality', 0x0100000],
  ['quotactl', 0, 0, 0, 0],
  ['swapon', '/nowhere', 0],
  ['reboot', 0, 0, 0, 0],
  ['sethostname', 'x', -1],
  ['settimeofday', 1, 1],
  ['fanotify_init', 0, 0],
  ['pidfd_getfd', 0, 0, 0],
  ['kcmp', 1, 1, 0, 0, 0],
  // AF_INET and AF_PACKET raw, AF_VSOCK, AF_ALG, AF_INET with SCTP.
  ['socket', 2, 3, 1],
  ['socket', 17, 3, 0],
  ['socket', 40, 1, 0],
  ['socket', 38, 5, 0],
  ['socket', 2, 1, 132],
  // AF_TIPC, a pair of which needs no network.
  ['socketpair', 30, 5, 0, 0],
];
/** Answered as by an older kernel. */
const UNKNOWN: typeof FORBIDDEN = [
  ['clone3', 0, 0],
  ['io_uring_setup', 1, 0],
];

const READ = `import os
def attempt(name):
  try:
    if os.path.isdir(name): return "folder with " + ",".join(sorted(os.listdir(name))[:3])
    return open(name, "rb").read(100).decode("latin1")
  except OSError as error: return error.errno
def main(input):
  return [attempt(name) for name in input]`;

const CONNECT = `import socket
def attempt(family, address):
  try:
    with socket.socket(getattr(socket, family), socket.SOCK_STREAM) as one:
      one.settimeout(3)
      one.connect(tuple(address) if isinstance(address, list) else address)
      return "connected"
  except OSError as error: return error.errno
def main(input):
  return [attempt(*one) for one in input]`;

const workerId = `escapes-${process.pid}`;
let executors: Executors;
let workRoot: string;

beforeAll(() => {
  workRoot = newFolder();
  executors = createExecutors({ workerId, workRoot });
});
afterAll(async () => {
  await executors.close();
  rmSync(workRoot, { recursive: true });
});

type Level = 'subprocess' | 'seccomp' | 'docker';

const submit = (level: Level, source: string, overrides?: Overrides) =>
  executors.forTask('code', level).submit(code('python', source, overrides));
const run = async (level: Level, source: string, overrides?: Overrides) =>
  outputOf(await submit(level, source, overrides).result());

/** Files that a task must not see, with something in them. */
function secrets(): { files: string[]; remove: () => void } {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const file = path.join(folder, 'secret');
  writeFileSync(file, 'secret of the worker', { mode: 0o644 });
  return {
    files: [file, path.resolve(__dirname, '../package.json'), `/proc/${process.pid}/environ`, '/proc/1/cwd'],
    remove: () => rmSync(folder, { recursive: true }),
  };
}

async function listening(options: object, use: (server: Server) => Promise<void>): Promise<void> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(options, resolve));
  try {
    await use(server);
  } finally {
    server.close();
  }
}

/** What a task can connect to from outside of its fence: TCP on each address of this machine, and a local socket without a file. */
async function doors(use: (list: unknown[]) => Promise<void>): Promise<void> {
  const abstract = `\0lattice-escapes-${process.pid}`;
  await listening({ host: '0.0.0.0', port: 0 }, (tcp) =>
    listening({ path: abstract }, async () => {
      const at = tcp.address();
      const port = typeof at === 'object' && at !== null ? at.port : 0;
      const addresses = Object.values(networkInterfaces())
        .flat()
        .flatMap((one) => (one?.family === 'IPv4' ? [one.address] : []));
      // Node 20 fills the name up with zeros.
      const names = [abstract, abstract.padEnd(108, '\0')];
      await use([
        ...addresses.map((address) => ['AF_INET', [address, port]]),
        ...names.map((name) => ['AF_UNIX', name]),
      ]);
    }),
  );
}

describe.each(LEVELS)('at level %s a task', (level) => {
  afterEach(() => expect(processesWith(`LATTICE_OWNER=${workerId}`)).toEqual([]));

  it('does not read the files and the environment of the worker', async () => {
    const { files, remove } = secrets();
    try {
      const found = await run(level, READ, {
        input: [...files, '/root', '/home', '/var', '/srv', '/opt', '/etc/shadow'],
      });
      expect(JSON.stringify(found)).not.toMatch(/secret of|lattice\/executor|PATH=|folder with [^"]/);
      expect(readFileSync(files[0] ?? '', 'utf8')).toContain('secret');
    } finally {
      remove();
    }
  });

  it('sees no process but its own, and can signal none', async () => {
    const source = `import os, signal
def main(input):
  pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
  try: os.kill(input, 0); signalled = True
  except OSError: signalled = False
  return [len(pids), max(pids), signalled, open("/proc/1/cmdline").read()]`;
    const [count, highest, signalled, first] = z4(await run(level, source, { input: process.pid }));
    expect(count).toBeLessThan(5);
    expect(highest).toBeLessThan(50);
    expect(signalled).toBe(false);
    expect(first).toMatch(/bwrap|docker-init/);
  });

  it('does not reach the socket of the Docker engine', async () => {
    const input = [...['/var/run/docker.sock', '/run/docker.sock'].map((file) => ['AF_UNIX', file])];
    expect(await run(level, CONNECT, { input })).toEqual([2, 2]);
  });

  it('has no network', async () => {
    await doors(async (list) => {
      const found = await run(level, CONNECT, { input: list });
      expect(found).toHaveLength(list.length);
      expect(JSON.stringify(found)).not.toContain('connected');
    });
  });

  it('has a network when it asks for it', async () => {
    const names = 'import socket\ndef main(input):\n  return len(socket.if_nameindex())';
    const ask = async (network: boolean): Promise<unknown> => {
      const task = code('python', names);
      return outputOf(
        await executors
          .forTask('code', level)
          .submit({ ...task, code: { ...task.code, network } })
          .result(),
      );
    };
    expect(await ask(false)).toBe(1);
    expect(await ask(true)).toBeGreaterThan(1);
  });

  it('makes no forbidden call of the system', async () => {
    const found = await run(level, SYSCALLS, { input: FORBIDDEN });
    expect(named(found, FORBIDDEN)).toEqual(FORBIDDEN.map(([name]) => [name, EPERM]));
    const unknown = await run(level, SYSCALLS, { input: UNKNOWN });
    expect(named(unknown, UNKNOWN)).toEqual(UNKNOWN.map(([name]) => [name, ENOSYS]));
  });

  it('is stopped when it forks without end, before it fills the machine', async () => {
    const source = `import os
def main(input):
  told = False
  while True:
    try: os.fork()
    except OSError:
      if not told: os.write(1, b"refused\\n")
      told = True`;
    const log = collector();
    const before = performance.now();
    const limits = { processes: 4, timeoutMs: 1_500 };
    const error = errorOf(await submit(level, source, { limits, onLog: log.onLog }).result());
    expect(performance.now() - before).toBeLessThan(10_000);
    // The kernel refuses the next one, or the worker counts and ends them all.
    const refused = log.text().split('\n').length - 1;
    if (error.code === 'timeout') expect(refused).toBeGreaterThan(0);
    else expect(error.details).toMatchObject({ limit: 'processes' });
    expect(refused).toBeLessThanOrEqual(4 * 32);
  });

  it.each([
    ['its own', 'all = []\n  while True: all.append(b"x" * (4 << 20))'],
    ['of files in /tmp', 'n = 0\n  while True:\n    n += 1\n    open("/tmp/" + str(n), "wb").write(b"x" * (1 << 20))'],
    [
      'of no process',
      'libc = ctypes.CDLL(None)\n  for n in range(512):\n    fd = libc.syscall(279 if platform.machine() == "aarch64" else 319, b"x", 0)\n    if fd < 0: raise MemoryError()\n    os.write(fd, b"x" * (1 << 20))',
    ],
  ])('gets no more memory than its limit: %s', async (_, body) => {
    const limits = { memoryBytes: 96 * MEBIBYTE };
    const error = errorOf(
      await submit(level, `import ctypes, os, platform\ndef main(input):\n  ${body}`, { limits }).result(),
    );
    expect(error.code === 'out_of_memory' || error.details['name'] === 'OSError').toBe(true);
  });

  it('does not fill the disk', async () => {
    const source = `import os
def attempt(name):
  try:
    with open(name, "wb") as file:
      for n in range(700): file.write(b"x" * (1 << 20))
    return "filled"
  except OSError as error: return error.errno
def main(input):
  return [attempt(name) for name in ["/tmp/big", "/big", "/usr/big", "/lattice/big", "/lattice/given/big", "/dev/shm/big"]]`;
    // No space left, read-only, no right.
    const found = await run(level, source);
    expect(found).toEqual([28, expect.anything(), expect.anything(), expect.anything(), expect.anything(), 28]);
    expect(JSON.stringify(found)).not.toContain('filled');
    const output = `import os
def main(input):
  with open(os.environ["LATTICE_OUTPUT"], "wb") as file:
    while True: file.write(os.urandom(1 << 20))`;
    const error = errorOf(await submit(level, output).result());
    expect(error).toMatchObject({ code: 'output_too_large', details: { limit: 'disk' } });
    expect(error.details['bytes']).toBeLessThan(1_024 * MEBIBYTE);
  });

  it('may write a gigabyte of log, which costs the worker neither memory nor history', async () => {
    const source =
      'import os\ndef main(input):\n  for n in range(1024): os.write(1, b"y" * (1 << 20))\n  return "done"';
    const log = collector();
    const before = process.memoryUsage().rss;
    expect(await run(level, source, { onLog: log.onLog, limits: { timeoutMs: 60_000 } })).toBe('done');
    expect(Buffer.byteLength(log.text())).toBeLessThan(MEBIBYTE + 100);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MEBIBYTE);
  });

  it('leaves nobody behind who left group, session and environment, and ignores SIGTERM', async () => {
    const name = `left-${level}-${process.pid}`;
    const source = `import os, signal, time
def main(input):
  if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
      signal.signal(signal.SIGTERM, signal.SIG_IGN)
      for fd in (0, 1, 2): os.close(fd)
      os.execve("/proc/self/exe", ["python3", "-c", "import time\\nwhile True: time.sleep(1)", input], {})
    os._exit(0)
  os.wait()
  time.sleep(0.3)
  return "done"`;
    const seen = eventually(() => processesWith(name).length > 0);
    expect(await run(level, source, { input: name })).toBe('done');
    await seen;
    expect(processesWith(name)).toEqual([]);
  });
});

/** That the attempts above would be noticed: where there is no fence, they succeed. */
describe('at level subprocess, the same task', () => {
  it('reads the files and the environment of the worker, and sees its processes', async () => {
    const { files, remove } = secrets();
    try {
      const found = JSON.stringify(await run('subprocess', READ, { input: files }));
      expect(found).toContain('secret of the worker');
      expect(found).toContain('lattice/executor');
      expect(found).toMatch(/=/);
    } finally {
      remove();
    }
  });

  it('reaches the network, local sockets and, where there is one, the Docker engine', async () => {
    await doors(async (list) => {
      const found = await listOf('subprocess', CONNECT, list);
      expect(found.slice(0, -2)).toEqual(found.slice(0, -2).map(() => 'connected'));
      expect(found.slice(-2)).toContain('connected');
    });
    const socket = '/var/run/docker.sock';
    if (!dockerAnswers() || !existsSync(socket)) return;
    expect(await run('subprocess', CONNECT, { input: [['AF_UNIX', socket]] })).toEqual(['connected']);
  });

  it('makes the forbidden calls of the system, as far as its user and this kernel let it', async () => {
    const probes = named(await run('subprocess', SYSCALLS, { input: FORBIDDEN }), FORBIDDEN);
    const worked = probes.filter(([, errno]) => errno !== EPERM).map(([name]) => name);
    expect(worked).toEqual(expect.arrayContaining(['ptrace', 'add_key', 'keyctl', 'unshare', 'clone']));
    if (ROOT) expect(worked).toEqual(expect.arrayContaining(['mount', 'chroot', 'socket', 'syslog', 'bpf']));
  });
});

async function listOf(level: Level, source: string, input: unknown): Promise<unknown[]> {
  const output = await run(level, source, { input });
  return Array.isArray(output) ? output : [];
}

function named(found: unknown, calls: typeof FORBIDDEN): [string, unknown][] {
  if (!Array.isArray(found)) throw new Error('not a list');
  return calls.map(([name], index) => [name, found[index]]);
}

function z4(found: unknown): [number, number, unknown, string] {
  if (!Array.isArray(found)) throw new Error('not a list');
  return [Number(found[0]), Number(found[1]), found[2], String(found[3])];
}
