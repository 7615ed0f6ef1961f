import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '@lattice/engine';
import { readHead } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeEach(async () => {
  platform = await TestPlatform.open();
});
afterEach(() => platform.close());

const held = (file: string): Record<string, unknown> => ({
  name: 'held',
  tasks: { a: { uses: 'handler/hold', with: { file } }, b: { uses: 'handler/echo', needs: ['a'] } },
});

test('a resume is taken right after the pause, before a scheduler has seen either, and a pause right after the resume', async () => {
  const file = join(platform.folder, 'go');
  const id = await platform.submit(held(file));
  const ask = (what: 'pause' | 'resume'): Promise<void> => requestControl(platform.engine, id, what);
  await expect(ask('resume')).rejects.toMatchObject({ code: 'illegal_transition' });
  for (const what of ['pause', 'resume', 'pause', 'resume'] as const) await ask(what);
  await expect(ask('resume')).rejects.toMatchObject({ code: 'illegal_transition' });
  await platform.scheduler();
  await platform.worker();
  writeFileSync(file, '');
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
  await expect(ask('pause')).rejects.toMatchObject({ code: 'illegal_transition' });
  await platform.settled();
});

test('a resume is taken as soon as the run has paused, and a pause as soon as it goes on, whether history says so yet or not', async () => {
  await platform.scheduler();
  await platform.worker();
  const file = join(platform.folder, 'go');
  const id = await platform.submit(held(file));
  const becomes = (state: string): Promise<true> =>
    eventually(`the run is ${state} in Redis`, async () =>
      (await readHead(platform.engine.queue, id))?.state === state ? true : undefined,
    );
  await becomes('running');
  for (let round = 0; round < 5; round += 1) {
    await requestControl(platform.engine, id, 'pause');
    await becomes('paused');
    await requestControl(platform.engine, id, 'resume');
    await becomes('running');
  }
  writeFileSync(file, '');
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  const events = await platform.events(id);
  expect(events.filter(({ type }) => type === 'run.paused')).toHaveLength(5);
  expect(faultsOfHistory(run, events)).toEqual([]);
  await platform.settled();
});
