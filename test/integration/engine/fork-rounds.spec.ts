import { requestFork } from '@lattice/engine';
import { faultsOfHistory } from '../../support/history';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';

const ANYBODY = '00000000-0000-0000-0000-000000000000';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

const note = (task: string, value: string) => ({
  uses: 'handler/note',
  with: { run: '${{ run.id }}', task, value },
});

async function fork(runId: string, from: string[], inputs: Record<string, unknown> = {}): Promise<string> {
  const forked = await requestFork(platform.engine, { runId, from, inputs, apiKeyId: ANYBODY });
  platform.runs.push(forked.runId);
  return forked.runId;
}

const tasksOf = (runId: string): string[] =>
  readLedger(platform.ledger).flatMap(({ run, task }) => (run === runId ? [task] : []));

test('a fork of a round has what the round was given, and is a run of its own', async () => {
  const body = {
    tasks: {
      b: note('b', '${{ [each.index, inputs.y, tasks.a.output] }}'),
      c: note('c', '${{ tasks.b.output }}'),
    },
    output: '${{ tasks.c.output }}',
  };
  const source = await platform.run({
    name: 'rounds',
    inputs: { y: { type: 'number', default: 5 } },
    tasks: {
      a: { uses: 'transform', with: 7 },
      m: { uses: 'map', with: { over: [1, 2], ...body } },
      l: { uses: 'loop', with: { until: '${{ each.index == 1 }}', ...body } },
    },
  });
  expect(source.status).toBe('completed');
  const rounds = await runsBelow(platform, source.runId);
  expect(rounds).toHaveLength(4);
  for (const { id } of rounds) {
    const round = await platform.read(id);
    const { inputs, outputs } = round;
    const late = await fork(id, ['c']);
    const run = await platform.wait(late);
    expect(run).toMatchObject({ status: 'completed', parent: null, forkedFrom: id, inputs, outputs });
    expect(tasksOf(late)).toEqual(['c']);
    const whole = await fork(id, ['b']);
    const anew = await platform.wait(whole);
    expect(anew).toMatchObject({ status: 'completed', inputs, outputs });
    expect(faultsOfHistory(anew, await platform.events(whole))).toEqual([]);
    expect(tasksOf(whole)).toEqual(['b', 'c']);
    await expect(fork(id, ['b'], { y: 6 })).rejects.toMatchObject({
      code: 'invalid_inputs',
      faults: [{ pointer: '/inputs/y', message: expect.stringContaining('fork the run around it') as string }],
    });
  }
});
