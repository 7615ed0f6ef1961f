import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { eventually } from '../../support/eventually';
import type { Acknowledged } from '../client';
import { keepOn } from '../load';
import type { Options, Scenario } from '../scenario';
import { judge, type Report } from '../verdict';
import { note } from '../workflows';
import { World } from '../world';

const SCHEDULERS = ['scheduler-1', 'scheduler-2'];
const SCHEDULES = 5;
const EVERY_MS = 2_000;
/** A time without any scheduler, longer than a tick may be late. */
const AWAY_MS = 12_000;

const scheduleRow = z.object({
  name: z.string(),
  handled_until: z.date(),
  missed: z.coerce.number(),
  failed: z.coerce.number(),
  skipped: z.coerce.number(),
});
const runRow = z.object({ id: z.string(), schedule: z.string(), tick: z.date() });

const workflow = {
  name: 'ticking',
  inputs: { n: { type: 'integer', required: true } },
  tasks: { a: note('${{ inputs.n }}'), b: note('${{ tasks.a.output + 1 }}') },
  outputs: { value: '${{ tasks.b.output }}' },
};

/** Ticks each second, while two schedulers are killed in turn and once are both away: each tick makes one run. */
export async function killSchedulers(
  { say }: Options,
  options: { overMs: number; awayMs: number; env?: NodeJS.ProcessEnv },
): Promise<Report> {
  const world = await World.open(options.env);
  try {
    await world.start(['api', 'worker-1', ...SCHEDULERS]);
    await world.client.save(workflow);
    await tellSchedules(world, false);
    let turn = 0;
    const killing = keepOn(async () => {
      await delay(EVERY_MS);
      await world.kill(SCHEDULERS[turn % SCHEDULERS.length] ?? '');
      turn += 1;
    });
    await delay(options.overMs);
    await killing.stop();
    await Promise.all(SCHEDULERS.map((name) => world.remove(name)));
    await delay(options.awayMs);
    await world.start(SCHEDULERS);
    await caughtUp(world);
    await tellSchedules(world, true);
    const { rows } = await world.pg.query('select id, schedule, tick from runs order by schedule, tick');
    const made = rows.map((row) => runRow.parse(row));
    say(`${made.length} runs of ${SCHEDULES} schedules, ${world.kills.length} kills; waiting for the rest`);
    return await judge(world, made.map(acknowledged), {
      runs: made.length,
      faults: () => faultsOfTicks(world, made),
    });
  } finally {
    await world.close();
  }
}

async function tellSchedules(world: World, paused: boolean): Promise<void> {
  for (let n = 0; n < SCHEDULES; n += 1) {
    const when = n % 2 === 0 ? { cron: '* * * * * *', timezone: 'Europe/Berlin' } : { every: '1s' };
    await world.client.schedule({
      name: nameOf(n),
      workflow: 'ticking',
      inputs: { n },
      catchUp: 'all',
      paused,
      ...when,
    });
  }
}

/** What was missed is made up for. */
async function caughtUp(world: World): Promise<void> {
  await eventually(
    'nothing is due for longer than a second',
    async () => {
      const { rows } = await world.pg.query(`select from schedules where next_at < now() - interval '1 second'`);
      return rows.length === 0 ? true : undefined;
    },
    30_000,
  );
}

function acknowledged({ id, schedule }: z.infer<typeof runRow>): Acknowledged {
  const n = Number(schedule.slice(nameOf(0).length - 1));
  return { runId: id, workflow: 'ticking', inputs: { n }, expected: { value: n + 1 } };
}

/** From the first to the last each second once; nothing was missed, skipped or failed. */
async function faultsOfTicks(world: World, made: readonly z.infer<typeof runRow>[]): Promise<string[]> {
  const { rows } = await world.pg.query(
    'select name, handled_until, missed, failed, skipped from schedules order by name',
  );
  const schedules = rows.map((row) => scheduleRow.parse(row));
  const faults = schedules.flatMap(({ name, handled_until, missed, failed, skipped }) => {
    const ticks = made.filter(({ schedule }) => schedule === name).map(({ tick }) => tick.getTime());
    const first = ticks[0] ?? 0;
    const wanted = Math.floor((handled_until.getTime() - first) / 1_000) + 1;
    const isWhole = ticks.length === wanted && ticks.every((tick, index) => tick === first + index * 1_000);
    return [
      ...(isWhole
        ? []
        : [`schedule ${name} fired ${ticks.length} ticks (${new Set(ticks).size} different), not ${wanted}`]),
      ...(missed + failed + skipped === 0
        ? []
        : [`schedule ${name}: ${missed} missed, ${failed} failed, ${skipped} skipped`]),
    ];
  });
  return schedules.length === SCHEDULES ? faults : [...faults, `${schedules.length} schedules, not ${SCHEDULES}`];
}

function nameOf(n: number): string {
  return `tick-${n}`;
}

export const schedules: Scenario = {
  name: 'schedules',
  breaks: 'schedulers in turn: SIGKILL every 2 s, then none for 12 s, while ticks come each second',
  run: (options) => killSchedulers(options, { overMs: Math.max(15_000, options.runs * 15), awayMs: AWAY_MS }),
};
