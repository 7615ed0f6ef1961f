import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { leftovers } from '../../support/leftovers';
import { TestPlatform } from '../../support/platform';
import { runsBelow } from '../../support/run-tree';

const SLOW_MS = 180_000;
const SLOTS = 50;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.open({ LATTICE_CONCURRENCY: String(SLOTS), LATTICE_CPUS: String(SLOTS) });
  // Processes of their own: what they have to do is not to hold up the clock of the test.
  await platform.spawn({ kind: 'scheduler' });
  await platform.spawn({ kind: 'scheduler' });
  await platform.spawn({ kind: 'worker' });
});
afterAll(() => platform.close());

const notes = (task: string) => readLedger(platform.ledger).filter((note) => note.task === task);
const list = (count: number) => Array.from({ length: count }, (_, n) => n);
const map = (count: number, body: object) => ({
  uses: 'map',
  with: { over: list(count), concurrency: 1_000, do: body },
});

/** Starts a map of maps whose items hold until they are stopped; resolves when the worker has as many as it can. */
async function startTree(tag: string, [outer, inner]: readonly [number, number]): Promise<string> {
  const file = join(platform.folder, tag);
  writeFileSync(file, 'hold');
  const leaf = { uses: 'handler/obey', with: { run: '${{ run.id }}', task: tag, value: 1, file } };
  const runId = await platform.submit({ name: 'tree', tasks: { outer: map(outer, map(inner, leaf)) } });
  await eventually('the worker is full', () => (notes(tag).length >= SLOTS ? true : undefined), 60_000);
  return runId;
}

test(
  'C4: of ten thousand runs below a run, sent or not, those that work are stopped in under 2 s, and all end right',
  async () => {
    const runId = await startTree('many', [10, 1_000]);
    const below = () => runsBelow(platform, runId);
    await eventually('all are stored', async () => ((await below()).length >= 10_010 ? true : undefined), 120_000);
    const unsent = (await below()).filter(({ status }) => status === 'pending').length;
    expect(unsent).toBeGreaterThan(0);
    const from = Date.now();
    await requestCancel(platform.engine, runId, 'enough');
    await eventually('all that worked was stopped', () =>
      notes('many:stopped').length === notes('many').length ? true : undefined,
    );
    const heard = Math.max(...notes('many:stopped').map(({ at }) => at)) - from;
    expect((await platform.wait(runId, 60_000)).status).toBe('cancelled');
    const runs = await below();
    expect(runs).toHaveLength(10_010);
    expect(runs.filter(({ status }) => status !== 'cancelled')).toEqual([]);
    expect(heard).toBeLessThan(2_000);
    for (const { id } of runs.filter((_, index) => index % 97 === 0))
      expect(faultsOfHistory(await platform.read(id), await platform.events(id))).toEqual([]);
    // Nothing takes the places that come free.
    expect(notes('many')).toHaveLength(SLOTS);
    expect(notes('many:stopped')).toHaveLength(SLOTS);
    const sample = runs.filter((_, index) => index % 97 === 0).map(({ id }) => id);
    await eventually(
      'Redis is rid of them',
      async () => ((await leftovers(platform.engine.queue, [runId, ...sample])).length === 0 ? true : undefined),
      90_000,
    );
    const outbox = await platform.engine.db.query('select kind from outbox');
    expect(outbox).toEqual([]);
  },
  SLOW_MS,
);
