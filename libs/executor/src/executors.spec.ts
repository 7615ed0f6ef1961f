import { code, common, errorOf, eventually, handler, MEBIBYTE, newFolder, outputOf } from '../test/support';
import { createExecutors, type Executors } from './executors';
import type { Handler } from './port';

let executors: Executors;

function open(handlers: Record<string, Handler> = {}, handlerConcurrency = 2): void {
  executors = createExecutors({
    workerId: 'levels',
    workRoot: newFolder(),
    handlers: new Map(Object.entries(handlers)),
    handlerConcurrency,
    docker: { socketPath: '/nowhere/docker.sock' },
  });
}

afterEach(async () => executors.close());

describe('the level', () => {
  beforeEach(() => open());

  it.each([
    ['code', undefined, 'subprocess'],
    ['code', 'none', 'none'],
    ['code', 'seccomp', 'seccomp'],
    ['code', 'docker', 'docker'],
    ['container', undefined, 'docker'],
    ['container', 'none', 'docker'],
    ['container', 'seccomp', 'docker'],
    ['handler/a', undefined, 'none'],
    ['handler/a', 'none', 'none'],
  ] as const)('%s at %s runs at %s', (uses, asked, level) => expect(executors.forTask(uses, asked).level).toBe(level));

  it('code below the minimum is refused, code at it or above is not', async () => {
    const strict = createExecutors({
      workerId: 'strict',
      workRoot: newFolder(),
      minLevel: 'seccomp',
      defaultLevel: 'docker',
    });
    const task = code('javascript', 'export default () => 1');
    const error = errorOf(await strict.forTask('code', 'subprocess').submit(task).result());
    expect(error).toMatchObject({ code: 'sandbox_failed', retryable: false });
    expect(error.message).toContain('LATTICE_SANDBOX_MIN');
    expect(strict.forTask('code', 'seccomp')).toBe(strict.forTask('code', 'seccomp'));
    expect(strict.forTask('code').level).toBe('docker');
    expect(strict.forTask('container').level).toBe('docker');
    await strict.close();
  });

  it('JavaScript and TypeScript at none run in the worker; Python is refused, not run at another level', async () => {
    const none = executors.forTask('code', 'none');
    const outputs = await Promise.all([
      none.submit(code('javascript', 'export default () => process.pid')).result(),
      none.submit(code('typescript', 'export default (): number => process.pid')).result(),
    ]);
    expect(outputs.map(outputOf)).toEqual([process.pid, process.pid]);
    const outcome = await none.submit(code('python', 'def main(input): return 1')).result();
    expect(errorOf(outcome)).toMatchObject({ code: 'sandbox_failed', retryable: false });
    expect(errorOf(outcome).message).toContain('ask for subprocess');
  });

  it('code at none can be ended in an endless loop, and does not get more heap than it may have', async () => {
    const none = executors.forTask('code', 'none');
    const loop = code('javascript', 'export default () => { for (;;); }', { limits: { timeoutMs: 500, graceMs: 100 } });
    expect(errorOf(await none.submit(loop).result()).code).toBe('timeout');
    const hungry =
      'export default () => { const all = []; for (;;) all.push(Array.from({ length: 10_000 }, Math.random)); }';
    const full = await none.submit(code('javascript', hungry, { limits: { memoryBytes: 64 * MEBIBYTE } })).result();
    expect(errorOf(full)).toMatchObject({ code: 'out_of_memory', details: { limitBytes: 64 * MEBIBYTE } });
  });

  it('a handler is refused where isolation is asked for', async () => {
    const outcome = await executors.forTask('handler/a', 'docker').submit(handler('a')).result();
    expect(errorOf(outcome).code).toBe('sandbox_failed');
  });

  it('says what to do when no engine answers', async () => {
    const container = { image: 'any', env: {} };
    const outcome = await executors
      .forTask('container')
      .submit({ ...common(), uses: 'container', container })
      .result();
    expect(errorOf(outcome)).toMatchObject({ code: 'docker_unavailable', retryable: false });
    expect(errorOf(outcome).message).toContain('DOCKER_HOST');
    expect(await executors.reapOrphans()).toMatchObject({ containers: 0 });
  });
});

describe('handlers', () => {
  it('that answer without a promise have their outcome at once', () => {
    open({ twice: (input) => Number(input) * 2 });
    expect(executors.forTask('handler/twice').submit(handler('twice', { input: 4 })).outcome).toEqual({
      status: 'completed',
      outputJson: '8',
    });
  });

  it('that are unknown are named', async () => {
    open();
    expect(errorOf(await executors.forTask('handler/gone').submit(handler('gone')).result())).toMatchObject({
      code: 'handler_not_found',
      message: 'this worker has no handler gone',
    });
  });

  it('get their attempt and its token, and can tell their progress', async () => {
    const told: unknown[] = [];
    open({ work: (_, { attempt, token, progress }) => (progress(40, 'half'), { attempt, token }) });
    const execution = {
      ...handler('work'),
      id: 'run.1.work.3',
      attempt: 3,
      onProgress: (...words: unknown[]) => void told.push(words),
    };
    expect(outputOf(await executors.forTask('handler/work').submit(execution).result())).toEqual({
      attempt: 3,
      token: 'run.1.work.3',
    });
    expect(told).toEqual([[40, 'half']]);
  });

  it('that are too many wait for their turn; one that is abandoned keeps its place until it ends', async () => {
    const ends: (() => void)[] = [];
    open({ work: () => new Promise<void>((resolve) => ends.push(resolve)) }, 2);
    const executor = executors.forTask('handler/work');
    const submit = () => executor.submit(handler('work', { limits: { graceMs: 10 } }));
    const [first, second, third, fourth] = [submit(), submit(), submit(), submit()];
    expect(ends).toHaveLength(2);
    await first.cancel('abandoned');
    await fourth.cancel('not begun');
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await eventually(() => ends.length === 3);
    ends[1]?.();
    ends[2]?.();
    expect([await second.result(), await third.result()].map(outputOf)).toEqual([null, null]);
    expect(fourth.outcome).toEqual({ status: 'cancelled' });
  });

  it('pass 20,000 a second when they do nothing', () => {
    open({ noop: () => undefined });
    const executor = executors.forTask('handler/noop');
    const execution = handler('noop');
    // Of the processor, which others may use too.
    const before = process.cpuUsage();
    for (let i = 0; i < 20_000; i++) executor.submit(execution);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
  });
});
