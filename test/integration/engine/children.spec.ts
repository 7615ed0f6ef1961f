import { requestCancel, requestControl, saveDocument, signalRun } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const echo = (value: unknown, extra: object = {}) => ({ uses: 'handler/echo', with: { value }, ...extra });

async function status(runId: string, wanted: string): Promise<void> {
  await eventually(`the run is ${wanted}`, async () =>
    (await platform.read(runId)).status === wanted ? true : undefined,
  );
}

async function childrenOf(runId: string): Promise<{ id: string; status: string }[]> {
  const rows = await platform.engine.db.query(
    { text: 'select id, status from runs where parent_run_id = $1 order by parent_index' },
    [runId],
  );
  return rows.map((row) => ({ id: String(row['id']), status: String(row['status']) }));
}

describe('map', () => {
  const squares = (extra: object = {}) => ({
    name: 'squares',
    inputs: { by: { type: 'integer', default: 10 } },
    tasks: {
      list: { uses: 'transform', with: [1, 2, 3, 4, 5] },
      offset: { uses: 'transform', with: 100 },
      each: {
        uses: 'map',
        with: {
          over: '${{ tasks.list.output }}',
          concurrency: 2,
          do: echo('${{ each.item * inputs.by + each.index + tasks.offset.output }}'),
          ...extra,
        },
      },
      after: echo('${{ tasks.each.output }}'),
    },
    outputs: { all: '${{ tasks.after.output.value }}' },
  });

  test('does the body for each item and keeps their order', async () => {
    const run = await platform.run(squares());
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { all: [110, 121, 132, 143, 154].map((value) => ({ value })) },
    });
    expect(await childrenOf(run.runId)).toHaveLength(5);
  });

  test('a body may be a graph, with a map of its own', async () => {
    const run = await platform.run({
      name: 'matrix',
      tasks: {
        rows: { uses: 'transform', with: [[1, 2], [3]] },
        factor: { uses: 'transform', with: 10 },
        table: {
          uses: 'map',
          with: {
            over: '${{ tasks.rows.output }}',
            tasks: {
              cells: {
                uses: 'map',
                with: {
                  over: '${{ each.item }}',
                  do: { uses: 'transform', with: '${{ each.item * tasks.factor.output }}' },
                },
              },
              size: { uses: 'transform', with: '${{ size(tasks.cells.output) }}' },
            },
            output: { cells: '${{ tasks.cells.output }}', size: '${{ tasks.size.output }}', row: '${{ each.index }}' },
          },
        },
      },
      outputs: { table: '${{ tasks.table.output }}' },
    });
    expect(run).toMatchObject({
      status: 'completed',
      outputs: {
        table: [
          { cells: [10, 20], size: 2, row: 0 },
          { cells: [30], size: 1, row: 1 },
        ],
      },
    });
  });

  test('an empty list gives an empty list', async () => {
    const run = await platform.run({ name: 'none', tasks: { each: { uses: 'map', with: { over: [], do: echo(1) } } } });
    expect(run).toMatchObject({ status: 'completed', tasks: [{ output: [] }] });
  });

  test('the first failed item cancels the others and fails the map', async () => {
    const run = await platform.run({
      name: 'fails',
      tasks: {
        each: {
          uses: 'map',
          with: {
            over: ['ok', 'bad', 'slow'],
            tasks: {
              check: { uses: 'transform', if: "${{ each.item == 'bad' }}", with: '${{ each.item.missing }}' },
              hold: { uses: 'wait', if: "${{ each.item == 'slow' }}", with: { for: '1h' } },
            },
          },
        },
      },
    });
    expect(run).toMatchObject({
      status: 'failed',
      error: { code: 'item_failed', details: { index: 1, cause: { code: 'expression_failed' } } },
    });
    expect((await childrenOf(run.runId)).map((child) => child.status)).toEqual(['completed', 'failed', 'cancelled']);
  });

  test('with onFailure continue the output tells how each ended', async () => {
    const run = await platform.run(
      squares({ onFailure: 'continue', do: { uses: 'transform', with: '${{ 10 / (each.item - 3) }}' } }),
    );
    expect(run.status).toBe('completed');
    expect(run.tasks.find(({ key }) => key === 'each')?.output).toMatchObject([
      { status: 'completed', output: -5, error: null },
      { status: 'completed' },
      { status: 'failed', output: null, error: { code: 'expression_failed' } },
      { status: 'completed' },
      { status: 'completed', output: 5 },
    ]);
  });

  test('never more items at once than asked for', async () => {
    const run = await platform.run({
      name: 'few',
      inputs: {},
      tasks: {
        each: {
          uses: 'map',
          with: {
            over: Array.from({ length: 12 }, (_, n) => n),
            concurrency: 3,
            do: { uses: 'wait', with: { for: '20ms' } },
          },
        },
      },
    });
    expect(run.status).toBe('completed');
    const children = await platform.engine.db.query(
      {
        text: 'select extract(epoch from created_at) * 1000 as a, extract(epoch from finished_at) * 1000 as b from runs where parent_run_id = $1',
      },
      [run.runId],
    );
    const spans = children.map((row) => [Number(row['a']), Number(row['b'])] as const);
    const most = Math.max(...spans.map(([at]) => spans.filter(([a, b]) => a <= at && at < b).length));
    expect(spans).toHaveLength(12);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('loop', () => {
  test('goes round while its condition holds, each round after the last', async () => {
    const run = await platform.run({
      name: 'count',
      inputs: { top: { type: 'integer', default: 4 } },
      tasks: {
        loop_: {
          uses: 'loop',
          with: {
            initial: 0,
            while: '${{ each.last < inputs.top }}',
            do: { uses: 'transform', with: '${{ each.last + 1 }}' },
          },
        },
        until: {
          uses: 'loop',
          with: { until: '${{ each.index == 2 }}', do: { uses: 'transform', with: '${{ [each.last, each.index] }}' } },
        },
        never: { uses: 'loop', with: { initial: 7, while: false, do: echo(1) } },
      },
    });
    expect(run).toMatchObject({
      status: 'completed',
      tasks: [
        { key: 'loop_', output: { rounds: 4, last: 4 } },
        { key: 'until', output: { rounds: 3, last: [[[null, 0], 1], 2] } },
        { key: 'never', output: { rounds: 0, last: 7 } },
      ],
    });
  });

  test('has a bound', async () => {
    const run = await platform.run({
      name: 'endless',
      tasks: { l: { uses: 'loop', with: { while: true, maxRounds: 3, do: { uses: 'transform', with: 1 } } } },
    });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'too_many_rounds' } });
    expect(await childrenOf(run.runId)).toHaveLength(3);
  });
});

describe('sub-workflow', () => {
  const save = async (document: object): Promise<void> => {
    await saveDocument(platform.engine, readDocument(document));
  };

  test('gives the outputs of the run it starts', async () => {
    await save({
      name: 'double',
      inputs: { n: { type: 'integer', required: true } },
      tasks: { t: { uses: 'transform', with: '${{ inputs.n * 2 }}' } },
      outputs: { n: '${{ tasks.t.output }}' },
    });
    const run = await platform.run({
      name: 'outer',
      tasks: {
        a: { uses: 'workflow/double', with: { n: 21 } },
        b: { uses: 'workflow/double@1', with: { n: '${{ tasks.a.output.n }}' } },
      },
      outputs: { n: '${{ tasks.b.output.n }}' },
    });
    expect(run).toMatchObject({ status: 'completed', outputs: { n: 84 } });
  });

  test('fails with what is wrong: no such workflow, inputs that do not fit, a workflow without end', async () => {
    await save({ name: 'self', tasks: { again: { uses: 'workflow/self' } } });
    const codes = await Promise.all(
      [{ uses: 'workflow/nowhere' }, { uses: 'workflow/double', with: { n: 'x' } }, { uses: 'workflow/self' }].map(
        async (task) => (await platform.run({ name: 'outer', tasks: { t: task } })).error,
      ),
    );
    expect(codes[0]?.code).toBe('workflow_not_found');
    expect(codes[1]?.code).toBe('invalid_inputs');
    expect(JSON.stringify(codes[2])).toContain('nested_too_deep');
  });
});

describe('wait', () => {
  test('for a duration, until a time', async () => {
    const until = new Date(Date.now() + 300).toISOString();
    const run = await platform.run({
      name: 'later',
      tasks: { a: { uses: 'wait', with: { for: '200ms' } }, b: { uses: 'wait', with: { until } } },
    });
    expect(run.status).toBe('completed');
    const a = run.tasks.find(({ key }) => key === 'a');
    expect(a?.output).toMatchObject({ waitedMs: expect.any(Number) as number });
    expect(Date.parse(a?.finishedAt ?? '') - Date.parse(a?.startedAt ?? '')).toBeGreaterThanOrEqual(195);
    expect(Date.parse(run.finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(until));
  });

  test('for a signal: the run is waiting meanwhile and holds no worker; each signal is taken once', async () => {
    const runId = await platform.submit({
      name: 'signals',
      tasks: {
        first: { uses: 'wait', with: { signal: 'go' } },
        second: { uses: 'wait', needs: 'first', with: { signal: 'go' } },
      },
      outputs: { first: '${{ tasks.first.output }}', second: '${{ tasks.second.output }}' },
    });
    await status(runId, 'waiting');
    const send = (payload: unknown) => signalRun(platform.engine, { runId, name: 'go', payload, sender: 'me' });
    await send({ n: 1 });
    await send('\u0000 two');
    const run = await platform.wait(runId);
    expect(run).toMatchObject({ status: 'completed', outputs: { first: { n: 1 }, second: '\u0000 two' } });
    const types = (await platform.events(runId)).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['run.waiting', 'run.resumed']));
    await expect(send(3)).rejects.toMatchObject({ code: 'illegal_transition' });
  });

  test('for an approval, which may be refused', async () => {
    const document = {
      name: 'approval',
      tasks: {
        ask: { uses: 'wait', with: { approval: { message: 'Ship ${{ run.workflow }}?' } } },
        ship: echo('shipped', { needs: 'ask' }),
      },
    };
    const answer = async (payload: unknown) => {
      const runId = await platform.submit(document);
      await status(runId, 'waiting');
      await signalRun(platform.engine, { runId, name: 'ask', payload, sender: 'boss' });
      return platform.wait(runId);
    };
    expect(await answer({ approved: true, comment: 'yes' })).toMatchObject({
      status: 'completed',
      tasks: [{ output: { approved: true, comment: 'yes', by: 'boss' } }, { status: 'completed' }],
    });
    expect(await answer({ approved: false })).toMatchObject({ status: 'failed', error: { code: 'approval_rejected' } });
  });

  test('a timeout ends the wait', async () => {
    const run = await platform.run({
      name: 'impatient',
      onFailure: 'continue',
      tasks: {
        never: { uses: 'wait', timeout: '200ms', with: { signal: 'never' } },
        other: { uses: 'transform', needs: 'never', trigger: 'all-done', with: 1 },
      },
    });
    expect(run).toMatchObject({ status: 'failed', tasks: [{ error: { code: 'timeout' } }, { status: 'completed' }] });
  });
});

describe('stopping', () => {
  const holding = {
    name: 'holding',
    tasks: {
      each: {
        uses: 'map',
        with: {
          over: [1, 2],
          do: { uses: 'loop', with: { while: true, do: { uses: 'wait', with: { signal: 'never' } } } },
        },
      },
    },
  };

  async function grandchildren(runId: string): Promise<number> {
    const children = await childrenOf(runId);
    return (await Promise.all(children.map(({ id }) => childrenOf(id)))).flat().filter((c) => c.status === 'waiting')
      .length;
  }

  test('a cancel reaches the runs that the run started, before it ends itself', async () => {
    const runId = await platform.submit(holding);
    await eventually('both wait', async () => ((await grandchildren(runId)) === 2 ? true : undefined));
    await requestCancel(platform.engine, runId, 'enough');
    const run = await platform.wait(runId);
    expect(run.status).toBe('cancelled');
    const children = await childrenOf(runId);
    expect(children.map((child) => child.status)).toEqual(['cancelled', 'cancelled']);
    for (const { id } of children) expect((await childrenOf(id)).map((c) => c.status)).toEqual(['cancelled']);
  });

  test('a pause holds up what the run started, too', async () => {
    const runId = await platform.submit({
      name: 'paused',
      tasks: {
        sub: { uses: 'map', with: { over: [1], tasks: { w: { uses: 'wait', with: { signal: 'go' } } }, output: 1 } },
      },
    });
    await eventually('it waits', async () => ((await childrenOf(runId))[0]?.status === 'waiting' ? true : undefined));
    await requestControl(platform.engine, runId, 'pause');
    await status(runId, 'paused');
    const [child] = await childrenOf(runId);
    await eventually('the child is paused', async () =>
      (await childrenOf(runId))[0]?.status === 'paused' ? true : undefined,
    );
    await signalRun(platform.engine, { runId: child?.id ?? '', name: 'go', payload: null, sender: 'me' });
    await requestControl(platform.engine, runId, 'resume');
    expect((await platform.wait(runId)).status).toBe('completed');
  });
});
