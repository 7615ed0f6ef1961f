import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { keepOn, saveDiamonds, submitAll } from '../load';
import type { Scenario } from '../scenario';
import { judge } from '../verdict';
import { World } from '../world';

const LASTS_MS = 45_000;
const EVERY_MS = 1_000;

const tickSchema = z.object({ id: z.string(), tick: z.date() });

/** The runs of the schedule, and what is wrong with their ticks: each comes once, none is left out. */
async function ticksOf(world: World): Promise<{ runIds: string[]; faults: string[] }> {
  const { rows } = await world.pg.query('select id, tick from runs where schedule is not null order by tick');
  const runs = rows.map((row) => tickSchema.parse(row));
  const faults = runs.flatMap(({ tick }, index) => {
    const before = runs[index - 1]?.tick;
    const gap = before === undefined ? EVERY_MS : tick.getTime() - before.getTime();
    return gap === EVERY_MS ? [] : [`the tick ${tick.toISOString()} comes ${gap} ms after the one before`];
  });
  if (runs.length < (LASTS_MS / EVERY_MS) * 0.8) faults.push(`only ${runs.length} ticks in ${LASTS_MS} ms`);
  return { runIds: runs.map(({ id }) => id), faults };
}

export const schedulersKilled: Scenario = {
  name: 'schedulers',
  breaks: 'two schedulers: SIGKILL for one after the other every 3 to 6 s, with a schedule of a tick a second',
  run: async ({ runs, random, say }) => {
    const world = await World.open();
    const count = Math.ceil(runs / 4);
    try {
      await world.start(['api', 'scheduler-1', 'scheduler-2', 'worker-1', 'worker-2']);
      await saveDiamonds(world);
      const schedule = { name: 'second', workflow: 'diamond', inputs: { n: 1 }, every: '1s', catchUp: 'all' };
      await world.client.post('/v1/schedules', schedule);
      let round = 0;
      const killing = keepOn(async () => {
        await delay(3_000 + random() * 3_000);
        round += 1;
        await world.kill(`scheduler-${1 + (round % 2)}`);
      });
      const [submitted] = await Promise.all([submitAll(world, { count, overMs: LASTS_MS }), delay(LASTS_MS)]);
      await killing.stop();
      // What is late is fired yet.
      await delay(5_000);
      await world.client.post('/v1/schedules/second/pause');
      const { runIds, faults } = await ticksOf(world);
      say(`${runIds.length} ticks, ${world.kills.length} kills`);
      const ticks = runIds.map((runId) => ({ runId, workflow: 'diamond', inputs: { n: 1 }, expected: { value: 4 } }));
      const expected = { runs: count + ticks.length, faults: () => Promise.resolve(faults) };
      return await judge(world, [...submitted, ...ticks], expected);
    } finally {
      await world.close();
    }
  },
};
