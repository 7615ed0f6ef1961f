import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';

/**
 * Where one of the systems that these features come from breaks its own rule, a test named after the place. More of them
 * are beside what they test: README.md has all.
 */
let platform: TestPlatform;
let rest: Rest;

beforeAll(async () => {
  platform = await TestPlatform.open();
  rest = await openRest(platform);
  await platform.scheduler();
});

afterAll(async () => {
  await rest.close();
  await platform.close();
});

const sleep = (ms: number, needs: string[] = []) => ({ uses: 'handler/sleep', with: { ms }, needs });

it('A4 (CM, ST, RF): a cycle answers 422 with the cycle printed, where theirs answers 500', async () => {
  const task = (needs: string) => ({ uses: 'handler/noop', needs });
  const workflow = { name: 'round', tasks: { a: task('c'), b: task('a'), c: task('b'), d: task('d') } };
  for (const [path, body] of [
    ['/v1/runs', { workflow }],
    ['/v1/workflows', workflow],
  ] as const) {
    const problem = await rest.json(422, path, { method: 'POST', body });
    expect(problem).toMatchObject({ code: 'invalid_document' });
    const cycles = problem.faults.filter(({ code }: { code: string }) => code === 'cycle');
    expect(cycles.map(({ message }: { message: string }) => message).join('\n')).toMatch(/(\w) -> \w -> \w -> \1/);
  }
});

it('ST-T5: a cancel over REST reaches a task on a worker in another process in under 2 s', async () => {
  const worker = await platform.spawn({ kind: 'worker' });
  const { runId } = await rest.json(202, '/v1/runs', {
    method: 'POST',
    body: { workflow: { name: 'elsewhere', tasks: { a: sleep(60_000) } } },
  });
  await eventually('the task runs', async () => {
    const { tasks } = await rest.json(200, `/v1/runs/${runId}`);
    return tasks[0].status === 'running' || undefined;
  });
  const from = Date.now();
  await rest.json(202, `/v1/runs/${runId}/cancel`, { method: 'POST' });
  const run = await rest.json(200, `/v1/runs/${runId}/wait?timeout=20s`);
  expect(run).toMatchObject({ status: 'cancelled', tasks: [{ key: 'a', status: 'cancelled' }] });
  expect(Date.now() - from).toBeLessThan(2_000);
  worker.kill();
  await worker.ended;
});

describe('with a worker', () => {
  beforeAll(async () => {
    await platform.worker();
  });

  it('RF-T5: a chain goes on while a slow sibling runs, without a wave to wait for', async () => {
    const run = await platform.run({
      name: 'waves',
      tasks: {
        slow: sleep(1_500),
        a: sleep(20),
        b: sleep(20, ['a']),
        c: sleep(20, ['b']),
        end: sleep(1, ['c', 'slow']),
      },
    });
    expect(run.status).toBe('completed');
    const at = (key: string): number => Date.parse(run.tasks.find((task) => task.key === key)?.finishedAt ?? '');
    expect(at('c')).toBeLessThan(at('slow'));
    expect(run.summary?.criticalPath.map(({ key }) => key)).toEqual(['slow', 'end']);
  });

  it('LT-T1, F2: code runs at a level of its own, outside of the worker, and history says which', async () => {
    const source = 'export default () => ({ pid: process.pid, secret: process.env.DATABASE_URL ?? null })';
    const run = await platform.run({
      name: 'sandboxed',
      tasks: {
        asked: { uses: 'code', sandbox: 'subprocess', with: { language: 'javascript', source } },
        unasked: { uses: 'code', with: { language: 'javascript', source } },
      },
    });
    expect(run.status).toBe('completed');
    for (const { key, output } of run.tasks) {
      expect(output).toMatchObject({ pid: expect.any(Number) as number, secret: null });
      expect(output).not.toMatchObject({ pid: process.pid });
      const started = (await platform.events(run.runId)).find(
        ({ taskKey, type }) => taskKey === key && type === 'task.started',
      );
      expect(started?.data['level']).toBe('subprocess');
    }
    // Only who asks for no level gets none, and history says so, too.
    const bare = await platform.run({
      name: 'bare',
      tasks: { t: { uses: 'code', sandbox: 'none', with: { language: 'javascript', source } } },
    });
    expect(bare.tasks[0]?.output).toEqual({ pid: process.pid, secret: null });
    expect((await platform.events(bare.runId)).find(({ type }) => type === 'task.started')?.data['level']).toBe('none');
  });

  it('LL-T4, C7: nothing pretends: what fails has no output, and no answer is made up', async () => {
    const run = await platform.run({
      name: 'honest',
      tasks: {
        infer: { uses: 'handler/fail' },
        use: { uses: 'handler/echo', with: { said: '${{ tasks.infer.output }}' } },
      },
      outputs: { answer: '${{ tasks.use.output }}' },
    });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'task_failed' } });
    expect(run.tasks[0]).toMatchObject({
      status: 'failed',
      output: null,
      error: { message: expect.stringContaining('attempt 1 fails') as string },
    });
    expect(run.tasks[1]?.attempts).toBe(0);
    expect(run.outputs?.['answer'] ?? null).toBeNull();
  });
});
