import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl, requestRerun } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

/** Gives the number of its attempt: another one with each rerun. */
const attempt = (rest: Record<string, unknown> = {}) => ({ uses: 'handler/fail', with: { times: 0 }, ...rest });
const echo = (rest: Record<string, unknown> = {}) => ({ uses: 'handler/echo', with: 1, ...rest });

/** [key, status, attempts] of the tasks of a run that has ended. */
async function tasksOf(runId: string): Promise<[string, string, number][]> {
  const { tasks } = await platform.wait(runId);
  return tasks.map(({ key, status, attempts }) => [key, status, attempts]);
}

const rerun = (runId: string, task: string) => requestRerun(platform.engine, runId, { task, downstream: true });

test('a task that ran before is skipped when its condition does not hold any more, and runs when it holds again', async () => {
  const runId = await platform.submit({
    name: 'condition',
    tasks: {
      a: attempt(),
      b: echo({ if: '${{ tasks.a.output != 2 }}' }),
      c: echo({ needs: 'b' }),
    },
  });
  await platform.wait(runId);
  await rerun(runId, 'a');
  expect(await tasksOf(runId)).toEqual([
    ['a', 'completed', 2],
    ['b', 'skipped', 1],
    ['c', 'skipped', 1],
  ]);
  await rerun(runId, 'a');
  expect(await tasksOf(runId)).toEqual([
    ['a', 'completed', 3],
    ['b', 'completed', 2],
    ['c', 'completed', 2],
  ]);
});

test('the skip of a task that ran before is an event as any other', async () => {
  const runId = await platform.submit({
    name: 'events',
    tasks: { a: attempt(), b: echo({ if: '${{ tasks.a.output == 1 }}' }) },
  });
  await platform.wait(runId);
  await rerun(runId, 'a');
  await platform.wait(runId);
  const skipped = (await platform.events(runId)).filter(({ type }) => type === 'task.skipped');
  expect(skipped).toMatchObject([{ taskKey: 'b', data: { reason: 'condition' } }]);
});

test('what follows a task that fails this time is skipped', async () => {
  const file = join(platform.folder, 'fails-later');
  const runId = await platform.submit({
    name: 'fails-later',
    onFailure: 'continue',
    tasks: {
      a: { uses: 'handler/obey', with: { run: '${{ run.id }}', task: 'a', value: 1, file } },
      b: echo({ needs: 'a' }),
      c: echo({ needs: 'b' }),
    },
  });
  expect((await platform.wait(runId)).status).toBe('completed');
  writeFileSync(file, 'fail');
  await rerun(runId, 'a');
  expect(await tasksOf(runId)).toEqual([
    ['a', 'failed', 2],
    ['b', 'skipped', 1],
    ['c', 'skipped', 1],
  ]);
  rmSync(file);
});

test('a switch takes another arm', async () => {
  const runId = await platform.submit({
    name: 'arms',
    tasks: {
      a: attempt(),
      choose: {
        uses: 'switch',
        with: { on: "${{ tasks.a.output == 1 ? 'first' : 'later' }}", cases: { first: 'left', later: 'right' } },
      },
      left: echo(),
      right: echo(),
      last: echo({ needs: ['left', 'right'] }),
    },
  });
  expect((await platform.wait(runId)).status).toBe('completed');
  await rerun(runId, 'a');
  expect((await tasksOf(runId)).map(([key, status]) => [key, status])).toEqual([
    ['a', 'completed'],
    ['choose', 'completed'],
    ['left', 'skipped'],
    ['right', 'completed'],
    ['last', 'completed'],
  ]);
});

test('a handler of a failure is skipped once what it is for succeeds', async () => {
  const runId = await platform.submit({
    name: 'handled',
    onFailure: 'continue',
    tasks: {
      work: { uses: 'handler/fail', with: { times: 1 } },
      mend: { uses: 'handler/fail', if: "${{ tasks.work.status == 'failed' }}" },
    },
  });
  expect((await platform.wait(runId)).status).toBe('failed');
  await requestControl(platform.engine, runId, 'retry');
  expect(await tasksOf(runId)).toEqual([
    ['work', 'completed', 2],
    ['mend', 'skipped', 1],
  ]);
});

test('a pause while a rerun decides about a task that ran before holds up nothing', async () => {
  const file = join(platform.folder, 'goes-on');
  writeFileSync(file, '');
  const runId = await platform.submit({
    name: 'paused',
    tasks: {
      a: { uses: 'handler/hold', with: { file } },
      left: echo({ if: '${{ tasks.a.output >= 1 }}' }),
      right: echo({ if: '${{ tasks.a.output < 1 }}' }),
    },
  });
  await platform.wait(runId);
  rmSync(file);
  await rerun(runId, 'a');
  await eventually('a runs again', async () => (await platform.read(runId)).tasks[0]?.status === 'running');
  await requestControl(platform.engine, runId, 'pause');
  await eventually('it is paused', async () => (await platform.read(runId)).status === 'paused');
  writeFileSync(file, '');
  await eventually('right is skipped', async () => (await platform.read(runId)).tasks[2]?.status === 'skipped');
  await requestControl(platform.engine, runId, 'resume');
  expect(await tasksOf(runId)).toEqual([
    ['a', 'completed', 2],
    ['left', 'completed', 2],
    ['right', 'skipped', 0],
  ]);
});
