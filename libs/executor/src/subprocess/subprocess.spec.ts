import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  code,
  collector,
  errorOf,
  eventually,
  MEBIBYTE,
  newFolder,
  outputOf,
  processesWith,
  type Overrides,
} from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { Handle, Outcome } from '../port';

const FOREVER = 'setInterval(() => {}, 1000)';
/** One child in the group, one in a session of its own, and a loop that never gives the event loop back. */
const FAMILY = `import { spawn } from 'node:child_process';
  export default () => {
    for (const detached of [false, true]) spawn('sleep', ['601'], { detached, stdio: 'ignore' });
    console.log('up'); for (;;); }`;

let executors: Executors;
let workRoot: string;
const workerId = `subprocess-${process.pid}`;

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
  executors.forTask('code').submit(code('javascript', source, overrides));

async function startWorker(id: string): Promise<ChildProcess> {
  const script = path.join(__dirname, '..', '..', 'test', 'worker-process.cjs');
  const program = JSON.stringify({ uses: 'code', code: { language: 'javascript', source: FAMILY } });
  const worker = spawn(process.execPath, ['--conditions=lattice-source', script, id, workRoot, 'subprocess', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(worker, 'exit').then(([code]) => {
    throw new Error(`the worker ended with ${String(code)} before its task was up`);
  });
  const [text]: unknown[] = await Promise.race([once(worker.stdout, 'data'), failed]);
  expect(String(text)).toContain('up');
  return worker;
}

it('ends all processes of a task when its worker is killed', async () => {
  const id = `killed-${process.pid}`;
  const worker = await startWorker(id);
  const family = await eventually(() => {
    const pids = processesWith(`LATTICE_OWNER=${id}`);
    return pids.length === 3 ? pids : undefined;
  });
  worker.kill('SIGKILL');
  await eventually(() => processesWith(`LATTICE_OWNER=${id}`).length === 0, 3_000);
  expect(family).toHaveLength(3);
  await eventually(() => processesWith(`${id}~`).length === 0);
  expect(readdirSync(workRoot)).toHaveLength(1);
  // What only the next start can do.
  expect(await executors.reapOrphans()).toMatchObject({ processes: 0, folders: 1 });
});

it('reaps at the start what a worker and its guardian left behind, and nothing else', async () => {
  const id = `reaped-${process.pid}`;
  const worker = await startWorker(id);
  const [guardian] = await eventually(() => {
    const pids = processesWith('guardian.sh').filter((pid) => processesWith(`${id}~`).includes(pid));
    return pids.length === 1 ? pids : undefined;
  });
  expect(await executors.reapOrphans()).toMatchObject({ processes: 0, folders: 0 });
  expect(processesWith(`LATTICE_OWNER=${id}`)).toHaveLength(3);
  process.kill(guardian ?? 0, 'SIGKILL');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  // The kernel ends the direct child; the other two are left.
  await eventually(() => processesWith(`LATTICE_OWNER=${id}`).length === 2);
  expect(await executors.reapOrphans()).toMatchObject({ processes: 2, folders: 1 });
  await eventually(() => processesWith(`LATTICE_OWNER=${id}`).length === 0);
});

it('finds a process that cleared its environment and left the session, while its parent lives', async () => {
  const source = `import { spawn } from 'node:child_process';
    export default () => { spawn('sleep', ['602'], { detached: true, stdio: 'ignore', env: { WHO: 'cleared-${process.pid}' } }); console.log('up'); ${FOREVER}; return new Promise(() => {}) }`;
  const log = collector();
  const handle = submit(source, { onLog: log.onLog });
  await eventually(() => processesWith(`WHO=cleared-${process.pid}`).length === 1);
  const parentKilled = handle.cancel('enough');
  await parentKilled;
  expect(processesWith(`WHO=cleared-${process.pid}`)).toEqual([]);
});

it('says that the process was killed from outside', async () => {
  const log = collector();
  const handle = submit(`export default () => { console.log(process.pid); ${FOREVER}; return new Promise(() => {}) }`, {
    onLog: log.onLog,
  });
  const pid = await eventually(() => Number(log.text()));
  process.kill(pid, 'SIGKILL');
  expect(errorOf(await handle.result())).toMatchObject({
    code: 'killed',
    retryable: true,
    details: { signal: 'SIGKILL' },
  });
});

it('counts the memory of children', async () => {
  const hungry = 'const all = []; setInterval(() => all.push(Buffer.alloc(4 << 20, 1)), 20)';
  const source = `import { spawn } from 'node:child_process';
    export default () => { spawn(process.execPath, ['-e', ${JSON.stringify(hungry)}], { stdio: 'inherit' }); return new Promise(() => ${FOREVER}) }`;
  const error = errorOf(await submit(source, { limits: { memoryBytes: 256 * MEBIBYTE } }).result());
  expect(error).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 256 * MEBIBYTE } });
  expect(error.details['peakBytes']).toBeGreaterThan(256 * MEBIBYTE);
});

it('stops one huge allocation while it is being filled', async () => {
  const source = 'export default () => Buffer.alloc(3e9, 1).length';
  const error = errorOf(await submit(source, { limits: { memoryBytes: 128 * MEBIBYTE } }).result());
  expect(error).toMatchObject({ code: 'out_of_memory', retryable: true });
});

it('takes an exhausted heap of V8 as out of memory', async () => {
  const source = 'export default () => { const all = []; for (;;) all.push({ n: Math.random() }) }';
  const error = errorOf(await submit(source, { limits: { memoryBytes: 128 * MEBIBYTE } }).result());
  expect(error).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 128 * MEBIBYTE } });
});

it('holds the number of processes', async () => {
  const source = `import { spawn } from 'node:child_process';
    export default () => { for (let i = 0; i < 20; i++) spawn('sleep', ['603']); return new Promise(() => ${FOREVER}) }`;
  const error = errorOf(await submit(source, { limits: { processes: 10 } }).result());
  expect(error).toMatchObject({ code: 'task_failed', details: { limit: 'processes', limitProcesses: 10 } });
  // The watchdog may look while some are yet to be started.
  expect(error.details['processes']).toBeGreaterThan(10);
});

it('holds the size of files', async () => {
  const source = `import { writeFileSync } from 'node:fs'; process.on('SIGXFSZ', () => {});
    export default () => writeFileSync('big', Buffer.alloc(100000))`;
  expect(errorOf(await submit(source, { limits: { fileBytes: 50_000 } }).result()).details).toMatchObject({
    code: 'EFBIG',
  });
});

it('has a working folder of its own and no input on stdin', async () => {
  const source = `import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
    export default () => { writeFileSync('mine', ''); return [process.cwd() === process.env.HOME, readdirSync('.'), readFileSync(0, 'utf8')] }`;
  expect(outputOf(await submit(source).result())).toEqual([true, ['mine'], '']);
});

it('reports an unhandled rejection, a syntax error with its line, and a promise that can not settle', async () => {
  const rejected = await submit(
    'export default () => { Promise.reject(new Error("unseen")); return new Promise((go) => setTimeout(go, 5000)) }',
  ).result();
  expect(errorOf(rejected)).toMatchObject({ code: 'task_failed', message: 'unseen' });
  const wrong = errorOf(await submit('export default () => {\n  return 1 +* 2\n}').result());
  expect(wrong.details['stack']).toContain('task.mjs:2');
  const stuck = errorOf(await submit('export default () => new Promise(() => {})').result());
  expect(stuck.message).toContain('its promise can no longer settle');
  const none = errorOf(await submit('export const main = 1').result());
  expect(none.message).toContain('default export');
});

it('says which interpreter is missing', async () => {
  const other = createExecutors({ workerId, workRoot, python: 'python-that-is-not-there' });
  const outcome = await other.forTask('code').submit(code('python', 'def main(input): pass')).result();
  expect(errorOf(outcome)).toMatchObject({ code: 'language_unavailable', retryable: false });
  await other.close();
});

describe('TypeScript', () => {
  const run = (source: string, input: unknown = null): Promise<Outcome> =>
    executors
      .forTask('code')
      .submit(code('typescript', source, { input }))
      .result();

  it('runs, with what JavaScript lacks', async () => {
    const source = `enum Size { small = 1, large = 2 }
      class Box { constructor(readonly size: Size) {} }
      export default ({ n }: { n: number }): number => n + new Box(Size.large).size;`;
    expect(outputOf(await run(source, { n: 5 }))).toBe(7);
  });

  it('tells places as they were written', async () => {
    const thrown = errorOf(
      await run(
        'interface A {\n  n: number;\n}\nexport default (a: A): number => {\n  throw new Error(`no ${a.n}`);\n};',
        { n: 1 },
      ),
    );
    expect(thrown).toMatchObject({ code: 'task_failed', message: 'no 1' });
    expect(JSON.stringify(thrown.details)).toContain('task.ts:5:9');
    const wrong = errorOf(await run('export default () => {\n  const x: = 1;\n};'));
    expect(wrong).toMatchObject({ code: 'task_failed', details: { name: 'SyntaxError' } });
    expect(JSON.stringify(wrong.details)).toContain('task.ts:2:');
  });

  it('is cancelled before and after it was translated', async () => {
    const submit = (): Handle =>
      executors
        .forTask('code')
        .submit(code('typescript', 'export default () => new Promise<void>(() => setInterval(() => 0, 1000))'));
    const [early, late] = [submit(), submit()];
    await early.cancel('enough');
    expect((await late.wait(300)).state).toBe('pending');
    await late.cancel('enough');
    expect([early.outcome, late.outcome]).toEqual([{ status: 'cancelled' }, { status: 'cancelled' }]);
  });
});

it('refuses a work folder that is a trap', async () => {
  const file = path.join(newFolder(), 'link');
  mkdirSync(file);
  const inside = path.join(file, 'root');
  const { symlinkSync } = await import('node:fs');
  symlinkSync('/etc', inside);
  const other = createExecutors({ workerId, workRoot: inside });
  const outcome = await other.forTask('code').submit(code('javascript', 'export default () => 1')).result();
  expect(errorOf(outcome)).toMatchObject({ code: 'sandbox_failed' });
  await other.close();
});

it('runs many at once, each with its own output', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, async (_, n) => submit('export default (n) => n', { input: n }).result()),
  );
  expect(outcomes.map(outputOf)).toEqual(Array.from({ length: 12 }, (_, n) => n));
});

it('ends what runs when it is closed', async () => {
  const log = collector();
  const handle = submit(FAMILY, { onLog: log.onLog });
  await eventually(() => log.text().includes('up'));
  await executors.close();
  expect(handle.outcome).toEqual({ status: 'cancelled' });
});

it('keeps the order of what the console and the streams of a program write, and lets it put its own in their place', async () => {
  const log = collector();
  const outcome = await submit(
    `console.log('1');
     process.stdout.write('2\\n');
     console.log('3 %d', 3);
     const { write } = process.stdout;
     process.stdout.write = (text) => write.call(process.stdout, 'own ' + text);
     console.log('4');
     export default () => { console.error('wrong'); console.table([{ a: 1 }]); console.log('q'.repeat(100_000)) }`,
    { onLog: log.onLog },
  ).result();
  expect(outputOf(outcome)).toBeNull();
  expect(log.text('stdout').split('\n').slice(0, 5)).toEqual([
    '1',
    '2',
    '3 3',
    'own 4',
    expect.stringContaining('own ┌'),
  ]);
  expect(log.text('stdout').split('q')).toHaveLength(100_001);
  expect(log.text('stderr')).toBe('wrong\n');
});

it('runs a module that awaits outside of its functions, once', async () => {
  const log = collector();
  const source = `console.log('begun'); const late = await Promise.resolve(7); export default () => late`;
  expect(outputOf(await submit(source, { onLog: log.onLog }).result())).toBe(7);
  expect(log.text()).toBe('begun\n');
});
