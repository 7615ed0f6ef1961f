import { readdirSync, rmSync } from 'node:fs';
import type { Language } from '@lattice/contracts';
import {
  bubblewrapWorks,
  code,
  collector,
  dockerAnswers,
  errorOf,
  eventually,
  handler,
  MEBIBYTE,
  newFolder,
  outputOf,
  processesWith,
  type Overrides,
} from '../test/support';
import { createExecutors, type Executors } from './executors';
import type { Execution, Executor, Handler } from './port';

/** The same program for each way of running one. */
type Programs = Record<Exclude<Language, 'typescript'> | 'handler', string | Handler | undefined>;

const ECHO: Programs = {
  javascript: 'export default async (input) => input',
  python: 'async def main(input):\n  return input',
  handler: (input) => Promise.resolve(input),
};
const NOTHING: Programs = {
  javascript: 'export default () => {}',
  python: 'def main(input):\n  pass',
  handler: () => undefined,
};
const THROW: Programs = {
  javascript: 'export default () => { throw new TypeError("it broke") }',
  python: 'def main(input):\n  raise TypeError("it broke")',
  handler: () => {
    throw new TypeError('it broke');
  },
};
const FOR_GOOD: Programs = {
  javascript: 'export default () => { throw Object.assign(new Error("never again"), { retryable: false }) }',
  python: 'def main(input):\n  error = Exception("never again")\n  error.retryable = False\n  raise error',
  handler: () => {
    throw Object.assign(new Error('never again'), { retryable: false });
  },
};
const NAN: Programs = {
  javascript: 'export default () => ({ a: [0, { b: NaN }] })',
  python: 'def main(input):\n  return {"a": [0, {"b": float("nan")}]}',
  handler: () => ({ a: [0, { b: Number.NaN }] }),
};
const FUNCTION: Programs = {
  javascript: 'export default () => ({ "a b": () => 1 })',
  python: 'def main(input):\n  return {"a b": main}',
  handler: () => ({ 'a b': () => 1 }),
};
const CYCLE: Programs = {
  javascript: 'export default () => { const a = {}; a.self = [a]; return a }',
  python: 'def main(input):\n  a = {}\n  a["self"] = [a]\n  return a',
  handler: () => {
    const a: Record<string, unknown> = {};
    a['self'] = [a];
    return a;
  },
};
const STRANGE: Programs = {
  javascript: 'export default () => ["\\u0000", "\\ud800", "\\u2028", "\\u{1f600}", -0.5e-7]',
  python: 'def main(input):\n  return ["\\x00", "\\ud800", "\\u2028", "\\U0001f600", -0.5e-7]',
  handler: () => ['\u0000', '\ud800', '\u2028', '\u{1f600}', -0.5e-7],
};
const LARGE: Programs = {
  javascript: 'export default ({ size }) => "x".repeat(size - 2)',
  python: 'def main(input):\n  return "x" * (input["size"] - 2)',
  handler: (input) => 'x'.repeat((input as { size: number }).size - 2),
};
const LOOP: Programs = {
  javascript: 'export default () => { console.log("up"); for (;;); }',
  python: 'def main(input):\n  print("up")\n  while True: pass',
  handler: (_, { log }) => {
    log('up');
    return new Promise(() => undefined);
  },
};
/** os.write, because Python's buffered streams refuse a signal handler that interrupts a write. */
const DEAF: Programs = {
  javascript: `export default () => { process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000); return new Promise(() => {}) }`,
  python:
    'import os, signal, time\ndef main(input):\n  signal.signal(signal.SIGTERM, lambda *a: os.write(1, b"no\\n"))\n  print("up")\n  while True: time.sleep(1)',
  handler: undefined,
};
const POLITE: Programs = {
  javascript: `export default () => new Promise(() => { process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1000) })`,
  python:
    'import os, signal, sys, time\ndef bye(*a):\n  os.write(1, b"bye\\n")\n  sys.exit(0)\ndef main(input):\n  signal.signal(signal.SIGTERM, bye)\n  print("up")\n  while True: time.sleep(1)',
  handler: (_, { log, signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        log('bye');
        reject(new Error('aborted'));
      });
      log('up');
    }),
};
const HUNGRY: Programs = {
  javascript: `export default async ({ step }) => { const all = []; for (;;) { all.push(Buffer.alloc(step, 1)); await new Promise((go) => setTimeout(go, 5)) } }`,
  python:
    'import time\ndef main(input):\n  all = []\n  while True:\n    all.append(b"x" * input["step"])\n    time.sleep(0.005)',
  handler: undefined,
};
/** Starts a child that shares the group, and one that leaves group and session. */
const CHILDREN: Programs = {
  javascript: `import { spawn } from 'node:child_process';
    export default ({ wait }) => {
      for (const detached of [false, true]) spawn('sleep', ['600'], { detached, stdio: 'inherit', env: process.env }).unref();
      console.log('up');
      return wait ? new Promise(() => setInterval(() => {}, 1000)) : 'done';
    }`,
  python: `import os, subprocess, time
def main(input):
  for own in (False, True):
    subprocess.Popen(["sleep", "600"], start_new_session=own)
  print("up")
  while input["wait"]: time.sleep(1)
  return "done"`,
  handler: undefined,
};
const EXIT: Programs = {
  javascript: 'export default ({ code }) => { console.error("leaving"); process.exit(code) }',
  python: 'import sys\ndef main(input):\n  print("leaving", file=sys.stderr)\n  sys.exit(input["code"])',
  handler: undefined,
};
const FORGE: Programs = {
  javascript: `import { writeFileSync, writeSync } from 'node:fs';
    export default () => { try { writeSync(3, 'garbage') } catch {} writeFileSync(process.env.LATTICE_OUTPUT, '{"not": json'); process.exit(0) }`,
  python: `import os
def main(input):
  try: os.write(3, b"garbage")
  except OSError: pass
  open(os.environ["LATTICE_OUTPUT"], "w").write('{"not": json')
  os._exit(0)`,
  handler: undefined,
};
const LINK: Programs = {
  javascript: `import { symlinkSync } from 'node:fs';
    export default () => { symlinkSync('/etc/hostname', process.env.LATTICE_OUTPUT); process.exit(0) }`,
  python: 'import os\ndef main(input):\n  os.symlink("/etc/hostname", os.environ["LATTICE_OUTPUT"])\n  os._exit(0)',
  handler: undefined,
};
const SPEAK: Programs = {
  javascript: `export default async () => { console.log('one'); console.error('two'); process.stdout.write('\\u{1f600}'.repeat(30000) + '\\n'); process.stdout.write('no end') }`,
  python:
    'import sys\ndef main(input):\n  print("one")\n  print("two", file=sys.stderr)\n  print("\\U0001f600" * 30000)\n  print("no end", end="")',
  handler: undefined,
};
const CHATTER: Programs = {
  javascript: `export default () => { for (let i = 0; i < 5000; i++) console.log('line ' + i + ' \\u00e9'.repeat(10)); return 'done' }`,
  python: 'def main(input):\n  for i in range(5000): print("line", i, " \\u00e9" * 10)\n  return "done"',
  handler: undefined,
};
const ENVIRONMENT: Programs = {
  javascript: 'export default () => process.env',
  python: 'import os\ndef main(input):\n  return dict(os.environ)',
  handler: undefined,
};

const docker = dockerAnswers();
const bubblewrap = bubblewrapWorks();
const WARM_BYTES = 200 * MEBIBYTE;
const KINDS = [
  { level: 'none', kind: 'handler', ahead: 'nothing' },
  { level: 'subprocess', kind: 'javascript', ahead: 'nothing' },
  { level: 'subprocess', kind: 'python', ahead: 'nothing' },
  { level: 'subprocess', kind: 'javascript', ahead: 'rooms' },
  { level: 'subprocess', kind: 'javascript', ahead: 'interpreters' },
  ...(bubblewrap
    ? ([
        { level: 'seccomp', kind: 'javascript', ahead: 'nothing' },
        { level: 'seccomp', kind: 'python', ahead: 'nothing' },
        { level: 'seccomp', kind: 'python', ahead: 'rooms' },
        { level: 'seccomp', kind: 'python', ahead: 'interpreters' },
      ] as const)
    : []),
  ...(docker
    ? ([
        { level: 'docker', kind: 'javascript', ahead: 'nothing' },
        { level: 'docker', kind: 'python', ahead: 'nothing' },
        { level: 'docker', kind: 'javascript', ahead: 'interpreters' },
      ] as const)
    : []),
] as const;

describe.each(KINDS)('level $level, $kind, ready before: $ahead', ({ level, kind, ahead }) => {
  const killable = level !== 'none';
  const workRoot = newFolder();
  const handlers = new Map<string, Handler>();
  const mark = `contract-${level}-${kind}-${ahead}-${process.pid}`;
  let executors: Executors;
  let executor: Executor;

  beforeAll(() => {
    executors = createExecutors({
      workerId: mark,
      workRoot,
      handlers,
      warmBytes: ahead === 'interpreters' ? WARM_BYTES : 0,
      rooms: ahead !== 'nothing',
    });
    executor = executors.forTask(level === 'none' ? 'handler/any' : 'code', level);
  });
  afterEach(() => {
    // What waits for a task has no execution yet.
    const left = processesWith(`LATTICE_OWNER=${mark}`);
    if (killable && ahead === 'nothing') expect(left).toEqual([]);
    if (ahead !== 'nothing')
      expect(left.filter((pid) => processesWith('LATTICE_EXECUTION=').includes(pid))).toEqual([]);
  });
  afterAll(async () => {
    await executors.close();
    expect(processesWith(`LATTICE_OWNER=${mark}`)).toEqual([]);
    expect(readdirSync(workRoot)).toEqual([]);
    rmSync(workRoot, { recursive: true });
  });

  function program(programs: Programs, overrides?: Overrides): Execution {
    const source = programs[kind];
    if (kind !== 'handler') return code(kind, String(source), overrides);
    if (typeof source !== 'function') throw new Error('no such handler');
    const name = `test${handlers.size}`;
    handlers.set(name, source);
    return handler(name, overrides);
  }

  const run = (programs: Programs, overrides?: Overrides) => executor.submit(program(programs, overrides)).result();

  async function started(programs: Programs, overrides: Overrides = {}) {
    const log = collector();
    const handle = executor.submit(program(programs, { ...overrides, onLog: log.onLog }));
    await eventually(() => log.text().includes('up'));
    return { handle, log };
  }

  it('says its level', () => expect(executor.level).toBe(level));

  it('gives back what the program returns', async () => {
    const input = { text: 'h\u00e9 \ud83d\ude00 \ud800', list: [1, 2.5, null, true], deep: { a: { b: {} } } };
    expect(outputOf(await run(ECHO, { input }))).toEqual(input);
  });

  it('counts no value as null', async () => expect(outputOf(await run(NOTHING))).toBeNull());

  it('carries NUL, lone surrogates and small numbers unharmed', async () => {
    expect(outputOf(await run(STRANGE))).toEqual(['\u0000', '\ud800', '\u2028', '\u{1f600}', -0.5e-7]);
  });

  it('reports an exception with its place', async () => {
    const error = errorOf(await run(THROW));
    expect(error).toMatchObject({ code: 'task_failed', message: 'it broke', retryable: true });
    expect(error.details['name']).toBe('TypeError');
    if (killable) expect(error.details['stack']).toMatch(/task\.(mjs:1|py", line 2)/);
  });

  it('believes an exception that says that another attempt is useless', async () => {
    expect(errorOf(await run(FOR_GOOD))).toMatchObject({ message: 'never again', retryable: false });
  });

  it.each([
    ['NaN', NAN, '$.a[1].b is'],
    ['a function', FUNCTION, '$["a b"] is a function'],
    ['a cycle', CYCLE, '$.self[0] refers back'],
  ])('refuses %s, with its place', async (_, programs, place) => {
    const error = errorOf(await run(programs));
    expect(error).toMatchObject({ code: 'output_not_json', retryable: false });
    expect(error.message).toContain(place);
  });

  it('takes an output as large as the limit, and refuses one that is larger', async () => {
    const limits = { outputBytes: 2_000 };
    expect(await run(LARGE, { input: { size: 2_000 }, limits })).toMatchObject({ status: 'completed' });
    const error = errorOf(await run(LARGE, { input: { size: 2_001 }, limits }));
    expect(error).toMatchObject({ code: 'output_too_large', details: { bytes: 2_001, limitBytes: 2_000 } });
  });

  it('F1, LT-18, LT-T2: answers wait(0) at once, while it runs and when it has ended', async () => {
    const { handle } = await started(LOOP);
    const before = performance.now();
    expect(await handle.wait(0)).toEqual({ state: 'pending' });
    expect(performance.now() - before).toBeLessThan(50);
    expect(await handle.wait(30)).toEqual({ state: 'pending' });
    await handle.cancel('enough');
    expect(handle.outcome).toEqual({ status: 'cancelled' });
    expect(await handle.wait(0)).toEqual({ state: 'done', outcome: { status: 'cancelled' } });
  });

  it('ends at its time limit, and says so', async () => {
    const before = performance.now();
    const error = errorOf(await run(LOOP, { limits: { timeoutMs: 1_500, graceMs: 200 } }));
    expect(error).toMatchObject({ code: 'timeout', retryable: true, details: { timeoutMs: 1_500 } });
    expect(performance.now() - before).toBeLessThan(1_500 + 200 + 2_000);
  });

  it('lets a program that heeds the request end in order', async () => {
    const { handle, log } = await started(POLITE, { limits: { graceMs: 5_000 } });
    const before = performance.now();
    await handle.cancel('enough');
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(log.text()).toContain('bye');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });

  it('keeps the outcome of what has ended when it is cancelled later', async () => {
    const handle = executor.submit(program(NOTHING));
    await handle.result();
    await handle.cancel('too late');
    expect(await handle.result()).toMatchObject({ status: 'completed' });
  });

  // What a function of the worker can't be made to do.
  if (!killable) return;

  it('cancels before the start', async () => {
    const handle = executor.submit(program(LOOP));
    await handle.cancel('at once');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });

  it('kills what ignores SIGTERM after the grace', async () => {
    const { handle, log } = await started(DEAF, { limits: { graceMs: 300 } });
    const before = performance.now();
    await handle.cancel('enough');
    expect(performance.now() - before).toBeGreaterThan(290);
    expect(performance.now() - before).toBeLessThan(300 + 2_000);
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(log.text()).toContain('no\n');
  });

  it.each([32, 1])('names the memory limit that was passed, in steps of %d MiB', async (step) => {
    const given = { input: { step: step * MEBIBYTE }, limits: { memoryBytes: 96 * MEBIBYTE } };
    const error = errorOf(await run(HUNGRY, given));
    expect(error).toMatchObject({ code: 'out_of_memory', retryable: true });
    expect(error.message + JSON.stringify(error.details)).toContain(String(96 * MEBIBYTE));
  });

  it.each([true, false])('leaves no child behind (stopped: %s)', async (wait) => {
    const { handle } = await started(CHILDREN, { input: { wait } });
    if (wait) await handle.cancel('enough');
    expect((await handle.result()).status).toBe(wait ? 'cancelled' : 'completed');
    // afterEach looks for processes with the mark.
  });

  it('takes an exit before the value as a failure, also with code 0', async () => {
    const zero = errorOf(await run(EXIT, { input: { code: 0 } }));
    expect(zero).toMatchObject({ code: 'task_failed', message: 'exited before returning a value' });
    const three = errorOf(await run(EXIT, { input: { code: 3 } }));
    expect(three).toMatchObject({ code: 'task_failed', details: { exitCode: 3, stderr: 'leaving\n' } });
  });

  it('refuses garbage in the place of the output', async () => {
    expect(errorOf(await run(FORGE)).code).toBe('output_not_json');
  });

  it('does not follow a link in the place of the output', async () => {
    // A sandbox has a file in that place, which can't be taken away.
    expect(errorOf(await run(LINK)).message).toMatch(
      level === 'subprocess' ? /not a regular file/ : /file exists|file already exists/i,
    );
  });

  it('streams both logs, with characters whole', async () => {
    const log = collector();
    await run(SPEAK, { onLog: log.onLog });
    expect(log.text('stdout')).toBe(`one\n${'\u{1f600}'.repeat(30_000)}\nno end`);
    expect(log.text('stderr')).toBe('two\n');
  });

  it('cuts a log at its limit, says so, and lets the program go on', async () => {
    const log = collector();
    expect(outputOf(await run(CHATTER, { limits: { logBytes: 10_001 }, onLog: log.onLog }))).toBe('done');
    const lines = log.text().split('\n');
    expect(lines.at(-2)).toBe('[lattice] log cut: the limit is 10001 bytes');
    expect(log.text()).not.toContain('\ufffd');
    expect(Buffer.byteLength(log.text())).toBeLessThan(10_001 + 60);
    expect(Buffer.byteLength(log.text())).toBeGreaterThan(10_000);
  });

  it('waits for a slow reader of the log, and loses nothing', async () => {
    let text = '';
    let inside = 0;
    const onLog = async (chunk: { text: string }) => {
      expect(++inside).toBe(1);
      await new Promise(setImmediate);
      text += chunk.text;
      inside--;
    };
    expect(outputOf(await run(CHATTER, { onLog }))).toBe('done');
    expect(text.split('\n')).toHaveLength(5_001);
  });

  it('is not disturbed by a reader of the log that throws', async () => {
    const onLog = () => {
      throw new Error('the sink is full');
    };
    expect(outputOf(await run(CHATTER, { onLog }))).toBe('done');
  });

  it('gives the environment asked for, and nothing of the worker', async () => {
    process.env['LATTICE_TEST_SECRET'] = 'of the worker';
    try {
      const env = { GIVEN: 'a=b\nc', LATTICE_OUTPUT: '/nowhere' };
      const output = outputOf(await run(ENVIRONMENT, { env }));
      expect(output).toMatchObject({ GIVEN: 'a=b\nc' });
      expect(JSON.stringify(output)).not.toMatch(/of the worker|NODE_|JEST/);
    } finally {
      delete process.env['LATTICE_TEST_SECRET'];
    }
  });
});
