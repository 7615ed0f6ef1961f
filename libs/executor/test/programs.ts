import type { Language } from '@lattice/contracts';
import type { Handler } from '../src/port';

/** The same program for each way of running one. */
export type Programs = Record<Exclude<Language, 'typescript'> | 'handler', string | Handler | undefined>;

export const ECHO: Programs = {
  javascript: 'export default async (input) => input',
  python: 'async def main(input):\n  return input',
  handler: (input) => Promise.resolve(input),
};
export const NOTHING: Programs = {
  javascript: 'export default () => {}',
  python: 'def main(input):\n  pass',
  handler: () => undefined,
};
export const THROW: Programs = {
  javascript: 'export default () => { throw new TypeError("it broke") }',
  python: 'def main(input):\n  raise TypeError("it broke")',
  handler: () => {
    throw new TypeError('it broke');
  },
};
export const FOR_GOOD: Programs = {
  javascript: 'export default () => { throw Object.assign(new Error("never again"), { retryable: false }) }',
  python: 'def main(input):\n  error = Exception("never again")\n  error.retryable = False\n  raise error',
  handler: () => {
    throw Object.assign(new Error('never again'), { retryable: false });
  },
};
export const NAN: Programs = {
  javascript: 'export default () => ({ a: [0, { b: NaN }] })',
  python: 'def main(input):\n  return {"a": [0, {"b": float("nan")}]}',
  handler: () => ({ a: [0, { b: Number.NaN }] }),
};
export const FUNCTION: Programs = {
  javascript: 'export default () => ({ "a b": () => 1 })',
  python: 'def main(input):\n  return {"a b": main}',
  handler: () => ({ 'a b': () => 1 }),
};
export const CYCLE: Programs = {
  javascript: 'export default () => { const a = {}; a.self = [a]; return a }',
  python: 'def main(input):\n  a = {}\n  a["self"] = [a]\n  return a',
  handler: () => {
    const a: Record<string, unknown> = {};
    a['self'] = [a];
    return a;
  },
};
export const STRANGE: Programs = {
  javascript: 'export default () => ["\\u0000", "\\ud800", "\\u2028", "\\u{1f600}", -0.5e-7]',
  python: 'def main(input):\n  return ["\\x00", "\\ud800", "\\u2028", "\\U0001f600", -0.5e-7]',
  handler: () => ['\u0000', '\ud800', '\u2028', '\u{1f600}', -0.5e-7],
};
export const LARGE: Programs = {
  javascript: 'export default ({ size }) => "x".repeat(size - 2)',
  python: 'def main(input):\n  return "x" * (input["size"] - 2)',
  handler: (input) => 'x'.repeat((input as { size: number }).size - 2),
};
export const LOOP: Programs = {
  javascript: 'export default () => { console.log("up"); for (;;); }',
  python: 'def main(input):\n  print("up")\n  while True: pass',
  handler: (_, { log }) => {
    log('up');
    return new Promise(() => undefined);
  },
};
/** os.write, because Python's buffered streams refuse a signal handler that interrupts a write. */
export const DEAF: Programs = {
  javascript: `export default () => { process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000); return new Promise(() => {}) }`,
  python:
    'import os, signal, time\ndef main(input):\n  signal.signal(signal.SIGTERM, lambda *a: os.write(1, b"no\\n"))\n  print("up")\n  while True: time.sleep(1)',
  handler: undefined,
};
export const POLITE: Programs = {
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
export const HUNGRY: Programs = {
  javascript: `export default async ({ step }) => { const all = []; for (;;) { all.push(Buffer.alloc(step, 1)); await new Promise((go) => setTimeout(go, 5)) } }`,
  python:
    'import time\ndef main(input):\n  all = []\n  while True:\n    all.append(b"x" * input["step"])\n    time.sleep(0.005)',
  handler: undefined,
};
/** Starts a child that shares the group, and one that leaves group and session. */
export const CHILDREN: Programs = {
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
export const EXIT: Programs = {
  javascript: 'export default ({ code }) => { console.error("leaving"); process.exit(code) }',
  python: 'import sys\ndef main(input):\n  print("leaving", file=sys.stderr)\n  sys.exit(input["code"])',
  handler: undefined,
};
export const FORGE: Programs = {
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
export const LINK: Programs = {
  javascript: `import { symlinkSync } from 'node:fs';
    export default () => { symlinkSync('/etc/hostname', process.env.LATTICE_OUTPUT); process.exit(0) }`,
  python: 'import os\ndef main(input):\n  os.symlink("/etc/hostname", os.environ["LATTICE_OUTPUT"])\n  os._exit(0)',
  handler: undefined,
};
export const SPEAK: Programs = {
  javascript: `export default async () => { console.log('one'); console.error('two'); process.stdout.write('\\u{1f600}'.repeat(30000) + '\\n'); process.stdout.write('no end') }`,
  python:
    'import sys\ndef main(input):\n  print("one")\n  print("two", file=sys.stderr)\n  print("\\U0001f600" * 30000)\n  print("no end", end="")',
  handler: undefined,
};
export const CHATTER: Programs = {
  javascript: `export default () => { for (let i = 0; i < 5000; i++) console.log('line ' + i + ' \\u00e9'.repeat(10)); return 'done' }`,
  python: 'def main(input):\n  for i in range(5000): print("line", i, " \\u00e9" * 10)\n  return "done"',
  handler: undefined,
};
export const ENVIRONMENT: Programs = {
  javascript: 'export default () => process.env',
  python: 'import os\ndef main(input):\n  return dict(os.environ)',
  handler: undefined,
};
