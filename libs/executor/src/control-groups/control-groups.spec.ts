import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  bubblewrapWorks,
  code,
  collector,
  controlGroupsWork,
  errorOf,
  eventually,
  MEBIBYTE,
  newFolder,
  outputOf,
  processesWith,
  type Overrides,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import { thisOwner } from '../owner';
import { boundOf } from './control-group';
import { createControlGroups } from './control-groups';

const reason = controlGroupsWork();
if (reason !== undefined) process.stderr.write(`Skipping the tests of control groups: ${reason}\n`);
const LEVELS = ['subprocess' as const, ...(bubblewrapWorks() ? (['seccomp'] as const) : [])];

const workerId = `groups-${process.pid}`;
let executors: Executors;
let workRoot: string;

beforeEach(() => {
  workRoot = newFolder();
  executors = createExecutors({ workerId, workRoot, rooms: true });
});
afterEach(async () => {
  const folder = folderOf(executors);
  await executors.close();
  expect(processesWith(`LATTICE_OWNER=${workerId}`)).toEqual([]);
  if (folder !== undefined) expect(existsSync(folder)).toBe(false);
  rmSync(workRoot, { recursive: true });
});

function folderOf(of: Executors): string | undefined {
  const holding = of.holding();
  return 'reason' in holding ? undefined : holding.folder;
}

function groupsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
}

type Level = (typeof LEVELS)[number];
const submit = (level: Level, source: string, overrides?: Overrides) =>
  executors.forTask('code', level).submit(code('python', source, overrides));

(reason === undefined ? describe : describe.skip).each(LEVELS)('control groups at level %s', (level) => {
  /** Of what started cold, and of what found a room. */
  const twice = async (act: () => Promise<void>) => {
    await act();
    await eventually(() => processesWith(`LATTICE_OWNER=${workerId}`).length > 0);
    await act();
  };

  it('hold memory that is taken in one instant, and tell it as such', async () => {
    // A gigabyte, touched by the kernel itself, long before somebody could measure it.
    const source = `import mmap
def main(input):
  try: return len(mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000))
  except OSError as error: return str(error)`;
    const limits = { memoryBytes: 64 * MEBIBYTE };
    await twice(async () => {
      const error = errorOf(await submit(level, source, { limits }).result());
      expect(error).toMatchObject({ code: 'out_of_memory', details: { limitBytes: limits.memoryBytes } });
      // By a sample it would be told with more than a task can have.
      expect(Number(error.details['peakBytes'] ?? 0)).toBeLessThan(boundOf(limits.memoryBytes) * 2);
    });
  });

  it('tell the end of a child for lack of memory, when the task fails of it', async () => {
    const source = `import subprocess, sys
def main(input):
  subprocess.run([sys.executable, "-c", "x = bytearray(1 << 30)"], check=True)`;
    const error = errorOf(await submit(level, source, { limits: { memoryBytes: 64 * MEBIBYTE } }).result());
    expect(error.code).toBe('out_of_memory');
  });

  it('end what fills its memory slowly, before it only waits for its own programs', async () => {
    const source = `import time
def main(input):
  all = []
  while True:
    all.append(b"x" * (1 << 18))
    time.sleep(0.0005)`;
    const error = errorOf(await submit(level, source, { limits: { memoryBytes: 64 * MEBIBYTE } }).result());
    expect(error.code).toBe('out_of_memory');
  });

  it('hold the share of the processors', async () => {
    const source = `import time
def main(input):
  wall, used = time.monotonic(), time.process_time()
  while time.monotonic() - wall < 1.5: pass
  return (time.process_time() - used) / (time.monotonic() - wall)`;
    await twice(async () => {
      const share = outputOf(await submit(level, source, { limits: { cpu: 0.2 } }).result());
      expect(share).toBeLessThan(0.4);
      expect(share).toBeGreaterThan(0.02);
    });
  });

  it('hold the number of threads', async () => {
    const source = `import threading
def main(input):
  stop = threading.Event()
  for n in range(200):
    try: threading.Thread(target=stop.wait, daemon=True).start()
    except RuntimeError: return n
  return "all"`;
    const started = outputOf(await submit(level, source, { limits: { processes: 4 } }).result());
    expect(started).toBeGreaterThan(100);
    expect(started).toBeLessThan(4 * 32);
  });

  it('find who cleared its environment, left its session and lost its parent between two looks', async () => {
    const name = `escaped-${level}-${process.pid}`;
    // No look falls between: the one that stays is made while the one that made it ends.
    const source = `import os
def main(input):
  if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execve("/proc/self/exe", ["python3", "-c", "import time\\nwhile True: time.sleep(1)", input], {})
    os._exit(0)
  os.wait()
  return "done"`;
    expect(outputOf(await submit(level, source, { input: name }).result())).toBe('done');
    expect(processesWith(name)).toEqual([]);
  });

  it('are there while a task runs, and not afterwards', async () => {
    const folder = folderOf(executors) ?? '';
    const log = collector();
    const handle = submit(level, 'import time\ndef main(input):\n  print("up", flush=True)\n  time.sleep(60)', {
      onLog: log.onLog,
    });
    await eventually(() => log.text().includes('up'));
    expect(groupsIn(folder).length).toBeGreaterThan(0);
    await handle.cancel('enough');
    // A room has one, too, until it is used or the executors close.
    await eventually(() => groupsIn(folder).length <= 1);
  });

  it('are ended and removed when the worker is killed', async () => {
    const id = `groups-killed-${level}-${process.pid}`;
    const script = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
    const name = `left-by-${id}`;
    const source = `import os, time
def main(input):
  if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execve("/proc/self/exe", ["python3", "-c", "import time\\nwhile True: time.sleep(1)", "${name}"], {})
    os._exit(0)
  os.wait()
  print("up", flush=True)
  time.sleep(60)`;
    const program = JSON.stringify({ uses: 'code', code: { language: 'python', source } });
    const args = ['--conditions=lattice-source', script, id, workRoot, level, program];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(worker.stdout, 'data');
    const parent = path.dirname(folderOf(executors) ?? '');
    const of = () => readdirSync(parent).filter((one) => one.includes(`${id}~`));
    expect(of()).not.toEqual([]);
    await eventually(() => processesWith(name).length > 0);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await eventually(() => processesWith(name).length === 0, 5_000);
    await executors.reapOrphans();
    expect(of()).toEqual([]);
  });
});

(reason === undefined ? describe : describe.skip)('of a worker that is gone', () => {
  it('groups are removed by the next one, with what runs in them; those of one that lives are not', async () => {
    const parent = path.dirname(folderOf(executors) ?? '');
    const self = thisOwner(workerId);
    const [alive, gone] = [
      createControlGroups({ ...self, workerId: `alive-${process.pid}` }),
      createControlGroups({ ...self, workerId: `gone-${process.pid}`, startTime: '1' }),
    ];
    const of = (id: string) => readdirSync(parent).filter((one) => one.startsWith(`lattice-${id}-${process.pid}`));
    alive.open('a~1', {});
    const group = gone.open('b~2', {});
    const sleeper = spawn('sleep', ['615']);
    await group?.take(sleeper.pid ?? 0, () => true);
    expect([of('alive').length, of('gone').length]).toEqual([1, 1]);
    const ended = once(sleeper, 'exit');
    await executors.reapOrphans();
    await ended;
    expect([of('alive').length, of('gone').length]).toEqual([1, 0]);
    await alive.close();
    expect(of('alive')).toEqual([]);
  });

  it('the loss of its folder is told once, and tasks go on, measured', async () => {
    const lost: string[] = [];
    const groups = createControlGroups(thisOwner(`lost-${process.pid}`), { onLost: (why) => lost.push(why) });
    for (const one of groups.folders()) rmdirSync(one);
    expect(groups.open('a~1', { memoryBytes: MEBIBYTE })).toBeUndefined();
    expect(groups.open('a~2', {})).toBeUndefined();
    expect(lost).toHaveLength(1);
    await groups.close();
  });
});

describe('turned off', () => {
  it('says so, and measures as ever', async () => {
    const other = createExecutors({ workerId: `off-${process.pid}`, workRoot, controlGroups: false });
    expect(other.holding()).toEqual({ reason: 'they are turned off' });
    const source = 'def main(input):\n  all = []\n  while True: all.append(b"x" * (4 << 20))';
    const task = code('python', source, { limits: { memoryBytes: 64 * MEBIBYTE } });
    const error = errorOf(await other.forTask('code', 'subprocess').submit(task).result());
    expect(error.code).toBe('out_of_memory');
    expect(error.details['peakBytes']).toBeGreaterThan(64 * MEBIBYTE);
    await other.close();
  });
});
