import { signalRun } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { ownServices, type OwnServices } from '../../support/services';
import { TestPlatform } from '../../support/platform';

const counting = (items: number) => ({
  name: 'counting',
  tasks: {
    each: {
      uses: 'map',
      with: {
        over: Array.from({ length: items }, (_, n) => n),
        concurrency: 5,
        tasks: {
          rest: { uses: 'wait', with: { for: '10ms' } },
          twice: { uses: 'transform', needs: 'rest', with: '${{ each.item * 2 }}' },
        },
        output: '${{ tasks.twice.output }}',
      },
    },
    sum: {
      uses: 'loop',
      with: {
        initial: 0,
        while: '${{ each.index < 5 }}',
        do: { uses: 'transform', with: '${{ each.last + tasks.each.output[each.index] }}' },
      },
    },
    go: { uses: 'wait', needs: 'sum', with: { signal: 'go' } },
  },
  outputs: { each: '${{ tasks.each.output }}', sum: '${{ tasks.sum.output.last }}', go: '${{ tasks.go.output }}' },
});
const outputs = (items: number) => ({
  each: Array.from({ length: items }, (_, n) => n * 2),
  sum: 20,
  go: 'went',
});

async function countOf(platform: TestPlatform, runId: string): Promise<number> {
  const [row] = await platform.engine.db.query(
    { text: 'select count(*)::int as count from runs where parent_run_id = $1' },
    [runId],
  );
  return Number(row?.['count']);
}

describe('schedulers are killed', () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await TestPlatform.open({ LATTICE_LOCK: '2s' });
  });
  afterAll(() => platform.close());

  test('maps and loops go on where they were: no round comes twice', async () => {
    const runId = await platform.submit(counting(40));
    for (let kills = 0; kills < 2; kills += 1) {
      const scheduler = await platform.spawn({ kind: 'scheduler' });
      const enough = (kills + 1) * 15;
      await eventually(
        'rounds were begun',
        async () => ((await countOf(platform, runId)) >= enough ? true : undefined),
        30_000,
      );
      scheduler.kill();
      await scheduler.ended;
    }
    await platform.scheduler();
    await signalRun(platform.engine, { runId, name: 'go', payload: 'went', sender: 'me' });
    const run = await platform.wait(runId, 60_000);
    expect(run).toMatchObject({ status: 'completed', outputs: outputs(40) });
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    expect(await countOf(platform, runId)).toBe(45);
    await platform.settled();
  });
});

describe('Redis is emptied', () => {
  let services: OwnServices;
  let platform: TestPlatform;
  beforeAll(async () => {
    services = await ownServices();
    platform = await TestPlatform.open({ REDIS_URL: services.redisUrl, LATTICE_LOCK: '2s' });
    await platform.scheduler();
  });
  afterAll(async () => {
    await platform.close();
    await services.stop();
  });

  test('a map goes on with the runs it has, a wait waits on, and a signal sent meanwhile is there', async () => {
    const runId = await platform.submit(counting(20));
    await eventually('rounds were begun', async () => ((await countOf(platform, runId)) >= 8 ? true : undefined));
    await services.flushRedis();
    await eventually(
      'it waits',
      async () => ((await platform.read(runId)).status === 'waiting' ? true : undefined),
      60_000,
    );
    await services.flushRedis();
    await signalRun(platform.engine, { runId, name: 'go', payload: 'went', sender: 'me' });
    const run = await platform.wait(runId, 60_000);
    expect(run).toMatchObject({ status: 'completed', outputs: outputs(20) });
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    expect(await countOf(platform, runId)).toBe(25);
  });
});
