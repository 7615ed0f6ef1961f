import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const echo = (value: unknown, extra: object = {}) => ({ uses: 'handler/echo', with: { value }, ...extra });

describe('transform', () => {
  test('gives what its expressions give, and holds no worker', async () => {
    const run = await platform.run(
      {
        name: 'shape',
        inputs: { n: { type: 'integer' } },
        tasks: {
          twice: { uses: 'transform', with: { n: '${{ inputs.n * 2 }}', text: 'n=${{ inputs.n }}' } },
          sum: { uses: 'transform', with: '${{ tasks.twice.output.n + 1 }}' },
        },
        outputs: { sum: '${{ tasks.sum.output }}', text: '${{ tasks.twice.output.text }}' },
      },
      { inputs: { n: 4 } },
    );
    expect(run).toMatchObject({ status: 'completed', outputs: { sum: 9, text: 'n=4' } });
    expect(run.tasks.map(({ attempts, workerId }) => [attempts, workerId])).toEqual([
      [1, 'scheduler'],
      [1, 'scheduler'],
    ]);
  });

  test('fails with the expression named', async () => {
    const run = await platform.run({
      name: 'wrong',
      inputs: { o: { type: 'object', default: {} } },
      tasks: { t: { uses: 'transform', with: '${{ inputs.o.missing }}' } },
    });
    expect(run).toMatchObject({ status: 'failed', tasks: [{ error: { code: 'expression_failed' } }] });
  });
});

describe('switch', () => {
  const route = (cases: object, extra: object = {}) => ({
    uses: 'switch',
    with: { on: '${{ inputs.kind }}', cases, ...extra },
  });
  const document = {
    name: 'routes',
    inputs: { kind: { type: 'any' } },
    tasks: {
      before: echo('before'),
      route: route({ big: ['page', 'log'], 7: 'count' }, { default: 'ignore' }),
      page: echo('page'),
      log: echo('log'),
      // Beside its arm it needs what lies before the switch: that alone does not make it run.
      paged: echo('${{ tasks.page.output.value }}+${{ tasks.before.output.value }}'),
      count: echo('count'),
      ignore: echo('ignore'),
      join: echo('join', { needs: ['paged', 'log', 'count', 'ignore'] }),
      after: echo('after', { needs: 'join' }),
    },
    outputs: { join: '${{ tasks.join.output.value }}', route: '${{ tasks.route.output }}' },
  };
  const statuses = async (kind: unknown): Promise<Record<string, unknown>> => {
    const run = await platform.run(document, { inputs: { kind } });
    expect(run).toMatchObject({ status: 'completed', outputs: { join: 'join' } });
    return Object.fromEntries(run.tasks.map(({ key, status, reason }) => [key, reason ?? status]));
  };

  test('RF-T4: the arms not taken are skipped, and what all arms lead to runs', async () => {
    expect(await statuses('big')).toMatchObject({
      page: 'completed',
      log: 'completed',
      paged: 'completed',
      count: 'branch_not_taken',
      ignore: 'branch_not_taken',
      join: 'completed',
      after: 'completed',
    });
    expect(await statuses(7)).toMatchObject({
      page: 'branch_not_taken',
      paged: 'branch_not_taken',
      count: 'completed',
      join: 'completed',
    });
    expect(await statuses('other')).toMatchObject({ ignore: 'completed', count: 'branch_not_taken' });
  });

  test('without a default nothing runs when no case fits', async () => {
    const run = await platform.run(
      {
        name: 'none',
        inputs: { kind: {} },
        tasks: { route: route({ a: 'x' }), x: echo(1), y: echo(2, { needs: 'x' }) },
      },
      { inputs: { kind: 'b' } },
    );
    expect(run.status).toBe('completed');
    expect(run.tasks.map(({ reason }) => reason)).toEqual([null, 'branch_not_taken', 'branch_not_taken']);
  });
});
