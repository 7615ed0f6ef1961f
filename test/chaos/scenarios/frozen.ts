import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually';
import type { Submission } from '../client';
import { readLedger } from '../ledger';
import { saveDiamonds, submitAll } from '../load';
import type { Scenario } from '../scenario';
import { judge } from '../verdict';
import { sleeper } from '../workflows';
import { World } from '../world';

/** Longer than a lease (15 s) and the time to notice that it is over. */
const FROZEN_MS = 24_000;
/** The answers of the frozen worker are ready while nobody can give them. */
const LATE_MS = 12_000;
const GONE_MS = 10_000;
const RUNS = 20;

function frozenRun(ledger: string): Submission {
  return {
    workflow: {
      name: 'frozen',
      tasks: {
        late: { uses: 'handler/late', with: { value: 'answer', ms: LATE_MS } },
        sleeper: sleeper(ledger),
      },
      outputs: { late: '${{ tasks.late.output }}', sleeper: '${{ tasks.sleeper.output }}' },
    },
    inputs: {},
    expected: { late: 'answer of attempt 2', sleeper: 'done' },
  };
}

export const frozen: Scenario = {
  name: 'freeze',
  breaks: 'a worker: SIGSTOP for 24 s with 20 runs in its hands, then SIGCONT; leases of 15 s as in production',
  run: async ({ say }) => {
    const world = await World.open({ LATTICE_CPUS: '64' });
    try {
      await world.start(['api', 'scheduler-1', 'worker-1']);
      await saveDiamonds(world);
      const caught = await submitAll(world, { count: RUNS, overMs: 0, make: () => frozenRun(world.ledger) });
      const begun = (): number => readLedger(world.ledger).length;
      await eventually('all attempts have begun', () => (begun() === 2 * RUNS ? true : undefined), 60_000);
      const [first, second] = [pidsIn(world.ledger), world.app('worker-1').pid];
      world.freeze('worker-1');
      say(`worker ${second} is frozen with ${first.length} processes of its tasks`);
      await world.start(['worker-2']);
      const others = submitAll(world, { count: 100, overMs: FROZEN_MS });
      await delay(FROZEN_MS);
      world.thaw('worker-1');
      const gone = async (): Promise<string[]> => {
        const left = await eventually(
          'the processes of the tasks are gone',
          () => (first.some(isAlive) ? undefined : []),
          GONE_MS,
        ).catch(() => first.filter(isAlive));
        return left.map((pid) => `process ${pid} of a task of the frozen worker lives ${GONE_MS} ms after its lease`);
      };
      const runs = [...caught, ...(await others)];
      const left = await gone();
      // It serves again.
      await world.remove('worker-2');
      const later = await submitAll(world, { count: 50, overMs: 1_000 });
      return await judge(world, [...runs, ...later], {
        runs: RUNS + 150,
        seconds: 2 * RUNS,
        faults: () => Promise.resolve(left),
      });
    } finally {
      await world.close();
    }
  },
};

function pidsIn(ledger: string): number[] {
  return readFileSync(`${ledger}.pids`, 'utf8').split('\n').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
