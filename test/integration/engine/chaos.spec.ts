import { setTimeout as delay } from 'node:timers/promises';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform, type Process } from '../../support/platform';

const RUNS = 200;
const CHAOS_MS = 15_000;
const KILL_EVERY_MS = 2_000;
/** Shorter than the real one: a task that loses three workers fails, and chaos would come to that. */
const LOCK = '4s';

const note = (task: string, value: unknown, needs: string[] = []) => ({
  uses: 'handler/note',
  needs,
  with: { run: '${{ run.id }}', task, value },
});
const diamond = {
  name: 'diamond',
  inputs: { n: { type: 'integer', required: true } },
  tasks: {
    a: note('a', '${{ inputs.n }}'),
    b: note('b', '${{ tasks.a.output + 1 }}'),
    c: note('c', '${{ tasks.a.output * 2 }}'),
    d: note('d', '${{ tasks.b.output + tasks.c.output }}'),
  },
  outputs: { value: '${{ tasks.d.output }}' },
};

/** Kills one process after the other, and starts another in its place. */
async function rage(platform: TestPlatform, processes: Process[]): Promise<void> {
  const end = performance.now() + CHAOS_MS;
  for (let round = 0; performance.now() < end; round += 1) {
    const place = round % processes.length;
    const victim = processes[place];
    victim?.kill();
    await victim?.ended;
    const [fresh] = await Promise.all([
      platform.spawn({ kind: place < 2 ? 'scheduler' : 'worker' }),
      delay(KILL_EVERY_MS),
    ]);
    processes[place] = fresh;
  }
}

test('200 runs while schedulers and workers are killed: every run ends right, and nothing recorded runs again', async () => {
  const platform = await TestPlatform.open({ LATTICE_LOCK: LOCK });
  try {
    const kinds = ['scheduler', 'scheduler', 'worker', 'worker', 'worker'] as const;
    const processes = await Promise.all(kinds.map((kind) => platform.spawn({ kind })));
    const raging = rage(platform, processes);
    const ids: string[] = [];
    for (let n = 0; n < RUNS; n += 1) {
      ids.push(await platform.submit(diamond, { inputs: { n } }));
      await delay(CHAOS_MS / RUNS);
    }
    await raging;
    const ledger = new Map<string, number>();
    for (const [n, id] of ids.entries()) {
      const run = await platform.wait(id, 60_000);
      const events = await platform.events(id);
      expect(faultsOfHistory(run, events)).toEqual([]);
      expect(run).toMatchObject({ status: 'completed', outputs: { value: n + 1 + n * 2 } });
      for (const { key, attempts } of run.tasks) ledger.set(`${id} ${key}`, attempts);
    }
    const executed = readLedger(platform.ledger);
    // No attempt is executed twice, none after the one that history has as completed.
    expect(new Set(executed.map(({ run, task, attempt }) => `${run} ${task} ${attempt}`)).size).toBe(executed.length);
    for (const { run, task, attempt } of executed)
      expect(attempt).toBeLessThanOrEqual(ledger.get(`${run} ${task}`) ?? 0);
    for (const [task, attempts] of ledger)
      expect(executed.filter((entry) => `${entry.run} ${entry.task}` === task).at(-1)?.attempt).toBe(attempts);
    await platform.settled();
  } finally {
    await platform.close();
  }
}, 120_000);
