import { chmodSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  bubblewrapWorks,
  collector,
  common,
  dockerAnswers,
  errorOf,
  eventually,
  newFolder,
  outputOf,
  ownSeconds,
  processesWith,
  sleepersOf,
  type Overrides,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { Execution, ScriptProgram } from '../port';

const workerId = `script-${process.pid}`;
const levels = [
  'subprocess' as const,
  ...(bubblewrapWorks() ? ['seccomp' as const] : []),
  ...(dockerAnswers() ? ['docker' as const] : []),
];

let executors: Executors;
let workRoot: string;
let folder: string;

beforeEach(() => {
  workRoot = newFolder();
  folder = realpathSync(newFolder());
  chmodSync(folder, 0o755);
  executors = createExecutors({ workerId, workRoot });
});
afterEach(async () => {
  await executors.close();
  expect(processesWith(`LATTICE_OWNER=${workerId}`)).toEqual([]);
  expect(readdirSync(workRoot)).toEqual([]);
  for (const one of [workRoot, folder]) rmSync(one, { recursive: true });
});

function write(name: string, text: string, mode = 0o755): void {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

describe.each(levels)('a script at level %s', (level) => {
  const submit = (name: string, more: Partial<ScriptProgram['script']> = {}, overrides?: Overrides) => {
    const image = level === 'docker' ? { image: 'lattice/python' } : {};
    const script = { folder, path: name, args: [], allowExit: [0], ...image, ...more };
    const execution: Execution = { ...common(overrides), uses: 'script', script };
    return executors.forTask('script', level).submit(execution);
  };

  it('runs in its folder, with arguments, environment and input, and hands over its output', async () => {
    write('lib/words.txt', 'beside\n', 0o644);
    write(
      'reports/daily.sh',
      `#!/bin/sh -e
printf '%s|' "$PWD" "$LATTICE_SCRIPTS" "$MODE" "$0" "$#" "$@" > "$TMPDIR/words"
cat lib/words.txt "$TMPDIR/words"
echo oops >&2
cp "$LATTICE_INPUT" "$LATTICE_OUTPUT"
`,
    );
    const log = collector();
    const args = ['--date', 'a b', '$(touch x)', ''];
    const overrides = { input: { day: 1, text: 'ü\n' }, env: { MODE: 'full' }, onLog: log.onLog };
    expect(outputOf(await submit('reports/daily.sh', { args }, overrides).result())).toEqual({ day: 1, text: 'ü\n' });
    expect(log.text('stdout')).toBe(
      `beside\n${folder}|${folder}|full|${folder}/reports/daily.sh|4|--date|a b|$(touch x)||`,
    );
    expect(log.text('stderr')).toBe('oops\n');
    expect(readdirSync(folder).sort()).toEqual(['lib', 'reports']);
  });

  it('sees nothing of the environment of the worker', async () => {
    write('env.sh', '#!/bin/sh\nenv\n');
    process.env['LATTICE_TEST_WORDS'] = 'of the worker';
    const log = collector();
    try {
      await submit('env.sh', {}, { onLog: log.onLog }).result();
    } finally {
      delete process.env['LATTICE_TEST_WORDS'];
    }
    expect(log.text()).toContain('LATTICE_EXECUTION=');
    expect(log.text()).not.toContain('of the worker');
  });

  it('ends well with the exit codes that are allowed, which is then its output', async () => {
    write('exit.sh', '#!/bin/sh\necho why >&2\nexit $1\n');
    const exit = (code: number, allowExit: number[]) => submit('exit.sh', { args: [String(code)], allowExit }).result();
    expect(outputOf(await exit(0, [0]))).toEqual({ exitCode: 0 });
    expect(outputOf(await exit(3, [0, 3]))).toEqual({ exitCode: 3 });
    // A number that stands for a signal at some levels.
    expect(outputOf(await exit(143, [143]))).toEqual({ exitCode: 143 });
    const failed = errorOf(await exit(2, [0, 3]));
    expect(failed).toMatchObject({
      code: 'task_failed',
      message: 'exited with code 2 (allowed: 0, 3)',
      retryable: true,
      details: { exitCode: 2, stderr: 'why\n' },
    });
    expect(errorOf(await exit(0, [3]))).toMatchObject({ code: 'task_failed', details: { exitCode: 0 } });
  });

  it('is ended at its timeout with all that it started', async () => {
    write('hang.sh', `#!/bin/sh\nsleep ${ownSeconds(113)} &\necho up\nwait\n`);
    const log = collector();
    const outcome = await submit('hang.sh', {}, { limits: { timeoutMs: 1_500 }, onLog: log.onLog }).result();
    expect(errorOf(outcome)).toMatchObject({ code: 'timeout' });
    expect(log.text()).toBe('up\n');
    expect(sleepersOf(ownSeconds(113))).toEqual([]);
  });

  it('is cancelled', async () => {
    write('long.sh', `#!/bin/sh\necho up\nexec sleep ${ownSeconds(114)}\n`);
    const log = collector();
    const handle = submit('long.sh', {}, { onLog: log.onLog });
    await eventually(() => log.text() !== '');
    await handle.cancel('enough');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(sleepersOf(ownSeconds(114))).toEqual([]);
  });

  it('leaves files', async () => {
    write('make.sh', '#!/bin/sh\necho "a;b" > "$LATTICE_ARTIFACTS/data.csv"\n');
    const kept: string[] = [];
    const keep = (files: readonly { name: string }[]) => {
      kept.push(...files.map(({ name }) => name));
      return Promise.resolve([]);
    };
    const outcome = await submit('make.sh', {}, { artifacts: { maxBytes: 100, maxCount: 1, keep } }).result();
    expect(outputOf(outcome)).toEqual({ exitCode: 0 });
    expect(kept).toEqual(['data.csv']);
  });

  it.each([
    ['../up.sh', 'script_refused'],
    ['/bin/true', 'script_refused'],
    ['none.sh', 'script_not_found'],
    ['forgotten.sh', 'script_not_executable'],
    ['plain.sh', 'script_not_executable'],
  ])('does not begin with %s: %s, for good', async (name, code) => {
    write('forgotten.sh', '#!/bin/sh\n', 0o644);
    write('plain.sh', 'echo no\n');
    expect(errorOf(await submit(name).result())).toMatchObject({ code, retryable: false });
  });

  it('says that its interpreter is not there', async () => {
    write('strange.sh', '#!/opt/nowhere/interpreter\n');
    const { code, retryable } = errorOf(await submit('strange.sh').result());
    // In a container only the image knows.
    if (level === 'docker') expect(['sandbox_failed', 'task_failed']).toContain(code);
    else expect([code, retryable]).toEqual(['language_unavailable', false]);
  });

  if (level !== 'subprocess') {
    it('can not change its folder, nor see others of the machine, nor reach the network', async () => {
      write('try.sh', '#!/bin/sh\ntouch new; echo $?; ls ..; ls /proc/self/fd /root; cat /proc/net/dev\n');
      const log = collector();
      await submit('try.sh', {}, { onLog: log.onLog }).result();
      expect(log.text('stderr')).toContain('Read-only file system');
      expect(log.text('stdout')).not.toContain(path.basename(workRoot));
      expect(log.text('stdout')).not.toMatch(/eth0|ens|veth/);
      expect(readdirSync(folder)).toEqual(['try.sh']);
    });

    it('may use Python and what lies beside it', async () => {
      write('lib/helper.py', 'WORD = "beside"\n', 0o644);
      write(
        'lib/use.py',
        `#!/usr/bin/env python3
import helper, json, os, sys
json.dump([helper.WORD, json.load(open(os.environ["LATTICE_INPUT"])), sys.argv[1:]], open(os.environ["LATTICE_OUTPUT"], "w"))
`,
      );
      expect(outputOf(await submit('lib/use.py', { args: ['x'] }, { input: 7 }).result())).toEqual([
        'beside',
        7,
        ['x'],
      ]);
    });
  }

  if (level === 'docker') {
    it('needs an image', async () => {
      write('x.sh', '#!/bin/sh\n');
      const script = { folder, path: 'x.sh', args: [], allowExit: [0] };
      const outcome = await executors
        .forTask('script', level)
        .submit({ ...common(), uses: 'script', script })
        .result();
      expect(errorOf(outcome)).toMatchObject({ code: 'sandbox_failed', retryable: false });
      expect(errorOf(outcome).message).toContain('with.image');
    });
  }

  if (level === 'seccomp' && process.getuid?.() === 0) {
    it('says that the user of sandboxes can not read it', async () => {
      write('closed.sh', '#!/bin/sh\n', 0o700);
      const error = errorOf(await submit('closed.sh').result());
      expect(error).toMatchObject({ code: 'script_not_executable' });
      expect(error.message).toContain('chmod o+rx');
    });
  }
});

it('does not run a script at level none, nor below the minimum of its worker', async () => {
  write('x.sh', '#!/bin/sh\n');
  const script: Execution = {
    ...common(),
    uses: 'script',
    script: { folder, path: 'x.sh', args: [], allowExit: [0] },
  };
  expect(errorOf(await executors.forTask('script', 'none').submit(script).result()).code).toBe('sandbox_failed');
  const strict = createExecutors({ workerId, workRoot, minLevel: 'seccomp' });
  const refused = errorOf(await strict.forTask('script', 'subprocess').submit(script).result());
  expect(refused.message).toContain('LATTICE_SANDBOX_MIN');
  await strict.close();
});
