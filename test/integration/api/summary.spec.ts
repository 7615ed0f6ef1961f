import { runViewSchema } from '@lattice/contracts';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';

let platform: TestPlatform;
let rest: Rest;

beforeAll(async () => {
  platform = await TestPlatform.open();
  rest = await openRest(platform);
  await platform.scheduler();
  await platform.worker();
});

afterAll(async () => {
  await rest.close();
  await platform.close();
});

const sleep = (ms: number, needs: string[] = []) => ({ uses: 'handler/sleep', with: { ms }, needs });

describe('the summary of a run', () => {
  it('B12, B13, CM-8, RF-17: has the result of each task, totals, attempts, times, the five slowest tasks and the critical path', async () => {
    const runId = await platform.submit({
      name: 'summed-up',
      onFailure: 'continue',
      tasks: {
        start: sleep(20),
        long: sleep(200, ['start']),
        short: sleep(10, ['start']),
        flaky: { uses: 'handler/fail', with: { times: 2 }, retry: { maxAttempts: 3, initialDelay: '1ms' } },
        end: sleep(30, ['long', 'short']),
        lost: { uses: 'handler/fail', with: {} },
        after: { uses: 'handler/noop', needs: ['lost'] },
        never: { uses: 'handler/noop', if: false },
      },
    });
    await platform.wait(runId);
    const run = runViewSchema.parse(await rest.json(200, `/v1/runs/${runId}`));
    const { summary } = run;
    expect(summary).toMatchObject({
      tasks: 8,
      totals: { completed: 5, failed: 1, skipped: 2, cancelled: 0, running: 0 },
      attempts: 8,
      retries: 2,
    });
    expect(summary?.slowest).toHaveLength(5);
    expect(summary?.slowest[0]?.key).toBe('long');
    expect(summary?.criticalPath.map(({ key }) => key)).toEqual(['start', 'long', 'end']);
    const path = summary?.criticalPath ?? [];
    const span = path.reduce((sum, { duration, waited }) => sum + duration + waited, 0);
    expect(span).toBeLessThanOrEqual(summary?.elapsed ?? 0);
    expect(span).toBeGreaterThanOrEqual(250);
    const long = run.tasks.find(({ key }) => key === 'long');
    expect(long?.executionTime).toBe(summary?.slowest[0]?.executionTime);
    expect(long).toMatchObject({ status: 'completed', output: 'slept', error: null, attempts: 1 });
    expect(run.tasks.find(({ key }) => key === 'never')).toMatchObject({ status: 'skipped', executionTime: null });
  });

  it('comes without the tasks when they are not wanted', async () => {
    const runId = await platform.submit({ name: 'brief', tasks: { a: sleep(5), b: sleep(5, ['a']) } });
    await platform.wait(runId);
    const whole = await rest.json(200, `/v1/runs/${runId}`);
    const brief = await rest.json(200, `/v1/runs/${runId}?tasks=false`);
    expect(brief).toEqual({ ...whole, tasks: [] });
    expect((await rest.call(`/v1/runs/${runId}?tasks=perhaps`)).status).toBe(400);
  });

  it('of a run that waits has no times yet', async () => {
    const runId = await platform.submit({ name: 'later', tasks: { a: sleep(5) } }, { delay: '1h' });
    const { summary } = await rest.json(200, `/v1/runs/${runId}`);
    expect(summary).toMatchObject({ elapsed: null, queueTime: null, slowest: [], criticalPath: [], attempts: 0 });
    expect(summary.totals.pending).toBe(1);
  });
});
