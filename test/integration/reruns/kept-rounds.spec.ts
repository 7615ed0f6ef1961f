import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl, requestRerun, saveDocument, signalRun } from '@lattice/engine';
import { readDocument } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { runsBelow, unitsOf } from '../../support/run-tree';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

const note = (task: string, value: unknown = null) => ({ run: '${{ run.id }}', task, value });
const RETRY = { maxAttempts: 3, initialDelay: '1ms' };

/** What the ledger has of a case, in order. */
const begun = (tag: string) =>
  readLedger(platform.ledger).flatMap(({ task }) =>
    task.startsWith(`${tag}:`) && !task.endsWith(':stopped') ? [task.slice(tag.length + 1)] : [],
  );

const becomes = (runId: string, wanted: string) =>
  eventually(`the run is ${wanted}`, async () => ((await platform.read(runId)).status === wanted ? true : undefined));

test('`retry` of a map does the items that failed once more, `retry` within it their tasks', async () => {
  const run = await platform.run({
    name: 'twice',
    tasks: {
      each: {
        uses: 'map',
        retry: RETRY,
        with: {
          over: [0, 1, 2, 3],
          concurrency: 1,
          tasks: {
            pre: { uses: 'handler/note', with: note("${{ 'twice:' + string(each.index) }}") },
            // Four attempts are needed; two are had in a round.
            do: {
              uses: 'handler/fail',
              needs: 'pre',
              with: { times: '${{ each.index == 2 ? 3 : 0 }}' },
              retry: { maxAttempts: 2, initialDelay: '1ms' },
            },
          },
          output: '${{ tasks.do.output }}',
        },
      },
    },
    outputs: { each: '${{ tasks.each.output }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { each: [1, 1, 4, 1] }, tasks: [{ attempts: 2 }] });
  expect(begun('twice')).toEqual(['0', '1', '2', '3']);
  expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
  const children = await runsBelow(platform, run.runId);
  expect(children).toHaveLength(4);
});

test('a map that is never done well fails after its attempts, with what completed kept all the time', async () => {
  const run = await platform.run({
    name: 'never',
    tasks: {
      each: {
        uses: 'map',
        retry: RETRY,
        with: {
          over: [0, 1],
          concurrency: 1,
          tasks: {
            pre: { uses: 'handler/note', with: note("${{ 'never:' + string(each.index) }}") },
            do: { uses: 'handler/fail', needs: 'pre', with: { times: '${{ each.index == 1 ? 1000 : 0 }}' } },
          },
        },
      },
    },
  });
  expect(run).toMatchObject({
    status: 'failed',
    tasks: [{ attempts: 3, error: { code: 'item_failed', details: { index: 1 } } }],
  });
  expect(begun('never')).toEqual(['0', '1']);
});

test('`retry` of a loop goes on at the round that failed; one of a sub-workflow at the task that failed', async () => {
  await saveDocument(
    platform.engine,
    readDocument({
      name: 'under',
      tasks: {
        pre: { uses: 'handler/note', with: note('under:pre') },
        do: { uses: 'handler/fail', with: { times: 2 }, needs: 'pre' },
      },
      outputs: { do: '${{ tasks.do.output }}' },
    }),
  );
  const run = await platform.run({
    name: 'again',
    tasks: {
      turns: {
        uses: 'loop',
        retry: RETRY,
        with: {
          while: '${{ each.index < 3 }}',
          tasks: {
            pre: { uses: 'handler/note', with: note("${{ 'turns:' + string(each.index) }}") },
            do: { uses: 'handler/fail', needs: 'pre', with: { times: '${{ each.index == 1 ? 2 : 0 }}' } },
          },
          output: '${{ tasks.do.output }}',
        },
      },
      sub: { uses: 'workflow/under', retry: RETRY },
    },
    outputs: { turns: '${{ tasks.turns.output }}', sub: '${{ tasks.sub.output }}' },
  });
  expect(run).toMatchObject({
    status: 'completed',
    outputs: { turns: { rounds: 3, last: 1 }, sub: { do: 3 } },
    tasks: [{ attempts: 3 }, { attempts: 3 }],
  });
  expect(begun('turns')).toEqual(['0', '1', '2']);
  expect(begun('under')).toEqual(['pre']);
});

test('a retry goes on with the version of a sub-workflow that failed, a rerun takes the newest one', async () => {
  const version = (source: object) =>
    saveDocument(
      platform.engine,
      readDocument({ name: 'mended', tasks: { t: source }, outputs: { t: '${{ tasks.t.output }}' } }),
    );
  await version({ uses: 'handler/fail' });
  const runId = await platform.submit({
    name: 'outer',
    tasks: { sub: { uses: 'workflow/mended' } },
    outputs: { t: '${{ tasks.sub.output.t }}' },
  });
  expect((await platform.wait(runId)).status).toBe('failed');
  await version({ uses: 'transform', with: 'mended' });
  await requestControl(platform.engine, runId, 'retry');
  expect((await platform.wait(runId)).status).toBe('failed');
  await requestRerun(platform.engine, runId, { task: 'sub', downstream: true });
  expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { t: 'mended' } });
});

test('a retry of a map that was cancelled never has more items at once than asked for', async () => {
  const file = join(platform.folder, 'few');
  writeFileSync(file, 'fail');
  const runId = await platform.submit({
    name: 'few',
    tasks: {
      each: {
        uses: 'map',
        with: {
          over: Array.from({ length: 12 }, (_, n) => n),
          concurrency: 3,
          onFailure: 'continue',
          tasks: {
            do: { uses: 'handler/obey', if: '${{ each.index < 10 }}', with: { ...note('few:do', 1), file } },
            hold: { uses: 'wait', if: '${{ each.index >= 10 }}', with: { signal: 'go' } },
          },
        },
      },
    },
  });
  await eventually('ten have failed', async () => {
    const children = await runsBelow(platform, runId);
    return children.filter(({ status }) => status === 'failed').length === 10 ? true : undefined;
  });
  await requestCancel(platform.engine, runId, 'enough');
  expect((await platform.wait(runId)).status).toBe('cancelled');
  writeFileSync(file, 'hold');
  await requestControl(platform.engine, runId, 'retry');
  await eventually('three run', async () => (begun('few').length === 13 ? true : undefined));
  const children = await runsBelow(platform, runId);
  expect(children.filter(({ status }) => status === 'running')).toHaveLength(3);
  await requestCancel(platform.engine, runId, 'enough');
  await platform.wait(runId);
  expect(begun('few')).toHaveLength(13);
});

test('rounds that were deleted meanwhile are done anew', async () => {
  const file = join(platform.folder, 'gone');
  writeFileSync(file, 'fail');
  const runId = await platform.submit({
    name: 'gone',
    tasks: {
      each: {
        uses: 'map',
        with: {
          over: [0, 1, 2],
          concurrency: 1,
          do: {
            uses: 'handler/obey',
            with: {
              ...note("${{ 'gone:' + string(each.index) }}", '${{ each.index }}'),
              file: `\${{ each.index == 2 ? '${file}' : '' }}`,
            },
          },
        },
      },
    },
    outputs: { each: '${{ tasks.each.output }}' },
  });
  expect((await platform.wait(runId)).status).toBe('failed');
  await platform.engine.db.query('delete from runs where parent_run_id = $1 and parent_index = 0', [runId]);
  rmSync(file);
  await requestControl(platform.engine, runId, 'retry');
  expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { each: [0, 1, 2] } });
  expect(begun('gone')).toEqual(['0', '1', '2', '0', '2']);
});

test('a child that its user retries by itself is the one that its parent keeps', async () => {
  const file = join(platform.folder, 'alone');
  writeFileSync(file, 'fail');
  const runId = await platform.submit({
    name: 'alone',
    tasks: {
      each: {
        uses: 'map',
        with: { over: [0, 1], concurrency: 1, do: { uses: 'handler/obey', with: { ...note('alone:do', 5), file } } },
      },
    },
    outputs: { each: '${{ tasks.each.output }}' },
  });
  expect((await platform.wait(runId)).status).toBe('failed');
  const [child] = await runsBelow(platform, runId);
  rmSync(file);
  await requestControl(platform.engine, child?.id ?? '', 'retry');
  expect((await platform.wait(child?.id ?? '')).status).toBe('completed');
  expect((await platform.read(runId)).status).toBe('failed');
  await requestControl(platform.engine, runId, 'retry');
  expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { each: [5, 5] } });
  expect(begun('alone')).toHaveLength(3);
});

describe('a wait', () => {
  const document = {
    name: 'asks',
    tasks: {
      before: { uses: 'handler/note', with: note('asks:before') },
      ask: { uses: 'wait', needs: 'before', with: { approval: { message: 'Go on?' } } },
      after: { uses: 'handler/note', needs: 'ask', with: note('asks:after', '${{ tasks.ask.output.comment }}') },
    },
    outputs: { said: '${{ tasks.after.output }}' },
  };
  const answer = (runId: string, approved: boolean, comment: string) =>
    signalRun(platform.engine, { runId, name: 'ask', payload: { approved, comment }, sender: 'boss' });

  test('asks again with a retry and with a rerun; no answer of the last time is taken for one', async () => {
    const runId = await platform.submit(document);
    await becomes(runId, 'waiting');
    await answer(runId, false, 'no');
    expect((await platform.wait(runId)).status).toBe('failed');
    await requestControl(platform.engine, runId, 'retry');
    await becomes(runId, 'waiting');
    await requestCancel(platform.engine, runId, 'enough');
    expect((await platform.wait(runId)).status).toBe('cancelled');
    await requestControl(platform.engine, runId, 'retry');
    await becomes(runId, 'waiting');
    await answer(runId, true, 'yes');
    expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { said: 'yes' } });
    await requestRerun(platform.engine, runId, { task: 'ask', downstream: true });
    await becomes(runId, 'waiting');
    await answer(runId, true, 'still yes');
    expect(await platform.wait(runId)).toMatchObject({ status: 'completed', outputs: { said: 'still yes' } });
    expect(begun('asks')).toEqual(['before', 'after', 'after']);
    const ask = (await unitsOf(platform, runId)).find(({ unit }) => unit === 'ask');
    expect(ask?.attempts).toBe(4);
  });
});
