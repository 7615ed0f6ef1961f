import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';

const FINAL = new Set(['completed', 'failed', 'cancelled']);
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ schedulers: 2, environment: { LATTICE_CONCURRENCY: '20' } });
});
afterAll(async () => {
  await platform.settled();
  await platform.close();
});

const begun = (tag: string) =>
  readLedger(platform.ledger).filter(({ task }) => task.startsWith(`${tag}:`) && !task.endsWith(':stopped'));
const active = async (runId: string) =>
  (await runsBelow(platform, runId)).filter(({ status }) => !FINAL.has(status)).map(({ status }) => status);

/** A map of maps whose items obey a file; each notes that it was begun. */
function nested(
  tag: string,
  [outer, inner]: readonly [number, number],
  file: string,
  rest: object = {},
): Record<string, unknown> {
  const list = (count: number) => Array.from({ length: count }, (_, n) => n);
  return {
    name: 'nested',
    ...rest,
    tasks: {
      outer: {
        uses: 'map',
        with: {
          over: list(outer),
          concurrency: 100,
          do: {
            uses: 'map',
            with: {
              over: list(inner),
              concurrency: 100,
              do: {
                uses: 'handler/obey',
                with: { run: '${{ run.id }}', task: `\${{ '${tag}:' + string(each.index) }}`, value: 1, file },
              },
            },
          },
        },
      },
    },
  };
}

test.each([
  { tag: 'timeout', rest: { timeout: '1500ms' }, code: 'run_timeout' },
  { tag: 'deadline', rest: {}, code: 'deadline_exceeded' },
])('a $tag of a run reaches the runs below it', async ({ tag, rest, code }) => {
  const file = join(platform.folder, tag);
  writeFileSync(file, 'hold');
  const deadline = tag === 'deadline' ? { deadline: new Date(Date.now() + 1_500).toISOString() } : {};
  const runId = await platform.submit(nested(tag, [3, 3], file, rest), deadline);
  const run = await platform.wait(runId);
  expect(run).toMatchObject({ status: 'failed', error: { code } });
  expect(await active(runId)).toEqual([]);
  expect(begun(tag).length).toBeGreaterThan(0);
  const stopped = readLedger(platform.ledger).filter(
    ({ task }) => task.startsWith(`${tag}:`) && task.endsWith(':stopped'),
  );
  expect(stopped).toHaveLength(begun(tag).length);
});

test('a pause at any moment holds up all below; after the resume each item is done once', async () => {
  let held = 0;
  for (const items of [0, 1, 10, 40]) {
    const tag = `pause${items}`;
    const runId = await platform.submit(nested(tag, [5, 40], join(platform.folder, 'nothing')));
    await eventually('so many have begun', () => begun(tag).length >= items);
    await requestControl(platform.engine, runId, 'pause');
    await eventually('all is paused', async () => {
      const { status } = await platform.read(runId);
      if (status !== 'paused' && !FINAL.has(status)) return undefined;
      return (await active(runId)).every((each) => each === 'paused') ? true : undefined;
    });
    const { status } = await platform.read(runId);
    expect(status).toBe('paused');
    const before = begun(tag).length;
    await requestControl(platform.engine, runId, 'resume');
    expect((await platform.wait(runId)).status).toBe('completed');
    if (before < 200) held += 1;
    expect(begun(tag)).toHaveLength(200);
  }
  expect(held).toBeGreaterThan(0);
});

test('a pause and a resume at once leave nothing behind', async () => {
  const runId = await platform.submit(nested('flicker', [5, 12], join(platform.folder, 'nothing')));
  for (let round = 0; round < 6; round += 1) {
    const asked = round % 2 === 0 ? 'pause' : 'resume';
    await eventually(`it takes a ${asked}`, () =>
      requestControl(platform.engine, runId, asked).then(
        () => true,
        () => undefined,
      ),
    );
  }
  expect((await platform.wait(runId)).status).toBe('completed');
  expect(begun('flicker')).toHaveLength(60);
});

test('a cancel at any moment ends all below', async () => {
  for (const items of [0, 1, 5, 12, 20]) {
    const tag = `cancel${items}`;
    const file = join(platform.folder, tag);
    writeFileSync(file, 'hold');
    const runId = await platform.submit(nested(tag, [5, 12], file));
    await eventually('so many have begun', () => begun(tag).length >= items);
    await requestCancel(platform.engine, runId, 'enough');
    expect((await platform.wait(runId)).status).toBe('cancelled');
    await eventually('all below have ended', async () => ((await active(runId)).length === 0 ? true : undefined));
    const count = begun(tag).length;
    await requestControl(platform.engine, runId, 'retry');
    rmSync(file);
    expect((await platform.wait(runId)).status).toBe('completed');
    expect(begun(tag)).toHaveLength(60 + count);
  }
});

test('a cancel ends at once what only waits below', async () => {
  const ask = { uses: 'wait', with: { approval: { message: 'Go on?' } } };
  const map = (body: object) => ({ uses: 'map', with: { over: [1, 2], do: body } });
  const runId = await platform.submit({ name: 'asking', tasks: { outer: map(map(ask)) } });
  await eventually('all wait', async () => {
    const states = (await runsBelow(platform, runId)).map(({ status }) => status);
    return states.filter((status) => status === 'waiting').length === 4;
  });
  const from = Date.now();
  await requestCancel(platform.engine, runId, 'enough');
  expect((await platform.wait(runId)).status).toBe('cancelled');
  expect(Date.now() - from).toBeLessThan(2_000);
  for (const { id, status } of await runsBelow(platform, runId)) {
    expect(status).toBe('cancelled');
    expect(faultsOfHistory(await platform.read(id), await platform.events(id))).toEqual([]);
  }
});

test('C4: of a thousand items in flight those that run are stopped in under 2 s', async () => {
  const file = join(platform.folder, 'thousand');
  writeFileSync(file, 'hold');
  const runId = await platform.submit({
    name: 'thousand',
    tasks: {
      each: {
        uses: 'map',
        with: {
          over: Array.from({ length: 10_000 }, (_, n) => n),
          concurrency: 1_000,
          do: { uses: 'handler/obey', with: { run: '${{ run.id }}', task: 'thousand:', value: 1, file } },
        },
      },
    },
  });
  await eventually('as many run as can', async () => (begun('thousand').length >= 20 ? true : undefined), 30_000);
  const from = Date.now();
  await requestCancel(platform.engine, runId, 'enough');
  expect((await platform.wait(runId, 60_000)).status).toBe('cancelled');
  expect(await active(runId)).toEqual([]);
  const stopped = readLedger(platform.ledger).filter(({ task }) => task === 'thousand::stopped');
  expect(stopped).toHaveLength(begun('thousand').length);
  expect(Math.max(...stopped.map(({ at }) => at)) - from).toBeLessThan(2_000);
});
