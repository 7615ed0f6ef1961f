import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';

const LIMIT_MS = 60_000;
let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.open({ LATTICE_LOCK: '2s' });
  await platform.worker();
});
afterAll(async () => {
  await platform.settled(LIMIT_MS);
  await platform.close();
});

test('after-children: a step dies when it has stored runs for a run that ended meanwhile: they are cancelled', async () => {
  const [file, gate] = [join(platform.folder, 'orders'), join(platform.folder, 'gate')];
  writeFileSync(file, 'hold');
  const dying = await platform.spawn({
    kind: 'scheduler',
    race: 'after-children',
    raceTask: 'each',
    env: { HOLD: 'before-children', HOLD_FILE: gate },
  });
  const item = { uses: 'handler/obey', with: { run: '${{ run.id }}', task: 'item', value: 1, file } };
  const inner = { uses: 'map', with: { over: [1, 2], do: item } };
  const runId = await platform.submit({
    name: 'orphans',
    tasks: { each: { uses: 'map', with: { over: [1, 2], do: inner } } },
  });
  await eventually('the step is about to start runs', () => (existsSync(`${gate}.held`) ? true : undefined), LIMIT_MS);
  await platform.scheduler();
  await requestCancel(platform.engine, runId, 'enough');
  expect((await platform.wait(runId, LIMIT_MS)).status).toBe('cancelled');
  writeFileSync(gate, '');
  expect(await dying.ended).toBe('SIGKILL');
  const below = await runsBelow(platform, runId);
  expect(below.length).toBeGreaterThan(0);
  const statuses = async () => (await runsBelow(platform, runId)).map(({ status }) => status);
  await eventually(
    'all below are cancelled',
    async () => ((await statuses()).every((status) => status === 'cancelled') ? true : undefined),
    LIMIT_MS,
  );
  const of = (task: string) => readLedger(platform.ledger).filter((note) => note.task === task).length;
  expect(of('item:stopped')).toBe(of('item'));
}, 180_000);
