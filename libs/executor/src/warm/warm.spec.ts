import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
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
  ownSeconds,
  processesWith,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { LogChunk } from '../port';

const LEVELS = [
  'subprocess' as const,
  ...(bubblewrapWorks() ? (['seccomp'] as const) : []),
  ...(dockerAnswers() ? (['docker'] as const) : []),
];
const WARM_BYTES = 100 * MEBIBYTE;

const SECONDS = ownSeconds(115);

/** Leaves what it can behind, and tells what it finds of those before it. */
const NOSY = `import os, subprocess, sys
STATE = {"count": 0}
def words_of(pid):
  try: return open("/proc/" + pid + "/cmdline", "rb").read()
  except OSError: return b"" # it has ended

def main(input):
  import json
  STATE["count"] += 1
  found = {
    "count": STATE["count"],
    "module": getattr(json, "left_here", None),
    "variable": os.environ.get("LEFT_HERE"),
    "files": sorted(os.listdir(os.environ["HOME"])) if os.environ["HOME"] != "/tmp" else sorted(os.listdir("/tmp")),
    "sleepers": len([p for p in os.listdir("/proc") if p.isdigit() and words_of(p) == b"sleep\\0${SECONDS}\\0"]),
    "secret": os.environ["SECRET"],
    "pid": os.getpid(),
    "input": input,
  }
  json.left_here = True
  os.environ["LEFT_HERE"] = "yes"
  open(os.path.join(os.environ["HOME"], "left"), "w").write("left")
  subprocess.Popen(["sleep", "${SECONDS}"])
  return found`;

describe.each(LEVELS)('at level %s, interpreters that were started ahead', (level) => {
  const workerId = `warm-${level}-${process.pid}`;
  let executors: Executors;
  let workRoot: string;

  beforeEach(() => {
    workRoot = newFolder();
    executors = createExecutors({ workerId, workRoot, warmBytes: WARM_BYTES });
  });
  afterEach(async () => {
    await executors.close();
    expect(processesWith(`LATTICE_OWNER=${workerId}`)).toEqual([]);
    expect(readdirSync(workRoot)).toEqual([]);
    rmSync(workRoot, { recursive: true });
  });

  /** Processes that wait: they have the mark, and no execution. */
  const waiting = (id = workerId) => {
    const busy = new Set(processesWith('LATTICE_EXECUTION='));
    return processesWith(`LATTICE_OWNER=${id}`).filter((pid) => !busy.has(pid));
  };

  it('run one task each: none sees files, memory, environment or processes of another', async () => {
    const pids = new Set<unknown>();
    for (let n = 0; n < 4; n++) {
      const task = code('python', NOSY, { input: n, env: { SECRET: `secret ${n}` } });
      const found = outputOf(await executors.forTask('code', level).submit(task).result());
      expect(found).toMatchObject({
        count: 1,
        module: null,
        variable: null,
        files: [],
        secret: `secret ${n}`,
        input: n,
      });
      expect(found).toMatchObject({ sleepers: 0 });
      if (typeof found === 'object' && found !== null && 'pid' in found) pids.add(found.pid);
      await eventually(() => waiting().length > 0);
    }
    if (level === 'subprocess') expect(pids.size).toBe(4);
  });

  it('are not used for a task whose environment is read at the start of an interpreter', async () => {
    const source = 'import sys\ndef main(input):\n  return sys.flags.optimize';
    const submit = (env: Record<string, string>) =>
      executors
        .forTask('code', level)
        .submit(code('python', source, { env }))
        .result();
    expect(outputOf(await submit({}))).toBe(0);
    await eventually(() => waiting().length > 0);
    expect(outputOf(await submit({ PYTHONOPTIMIZE: '1' }))).toBe(1);
  });

  it('serve tasks that are to see none of the GPUs there are, and hide these', async () => {
    const source = 'import os\ndef main(input):\n  return [os.getpid(), os.environ.get("NVIDIA_VISIBLE_DEVICES")]';
    const task = { ...code('python', source), gpus: { uuids: [], token: 0, fds: [] } };
    const submit = () => executors.forTask('code', level).submit(task).result();
    const hidden = expect.stringMatching(/^(none|void)$/) as unknown;
    expect(outputOf(await submit())).toEqual([expect.any(Number), hidden]);
    const ready = await eventually(() => (waiting().length > 0 ? waiting() : undefined));
    const found = outputOf(await submit());
    expect(found).toEqual([expect.any(Number), hidden]);
    if (level === 'subprocess') expect(found).toEqual([ready[0], hidden]);
  });

  it('that have ended meanwhile are not given out', async () => {
    const run = () => executors.forTask('code', level).submit(code('javascript', 'export default () => 7')).result();
    expect(outputOf(await run())).toBe(7);
    await eventually(() => waiting().length > 0);
    // An interpreter and a room: they need not come at the same moment.
    await eventually(() => {
      const pids = waiting();
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Taken along by another of them.
        }
      }
      return pids.length === 0;
    });
    expect(outputOf(await run())).toBe(7);
  });

  it('hold the limits of their task', async () => {
    const slow = 'export default () => { console.log("up"); for (;;); }';
    const log = collector();
    const task = () => code('javascript', slow, { limits: { timeoutMs: 1_000, graceMs: 100 }, onLog: log.onLog });
    for (let n = 0; n < 2; n++) {
      expect(errorOf(await executors.forTask('code', level).submit(task()).result()).code).toBe('timeout');
      await eventually(() => waiting().length > 0);
    }
    expect(log.chunks.filter(({ text }: LogChunk) => text.includes('up'))).toHaveLength(2);
  });

  it('end with their worker, however it ends', async () => {
    const id = `warm-killed-${level}-${process.pid}`;
    const script = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
    const source = 'export default () => { console.log("up") }';
    const program = JSON.stringify({ uses: 'code', code: { language: 'javascript', source } });
    const args = ['--conditions=lattice-source', script, id, workRoot, level, program, String(WARM_BYTES)];
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(worker.stdout, 'data');
    await eventually(() => waiting(id).length > 0);
    const ended = once(worker, 'exit');
    worker.kill('SIGKILL');
    await ended;
    await eventually(() => processesWith(`LATTICE_OWNER=${id}`).length === 0, 5_000);
    await executors.reapOrphans();
  });
});
