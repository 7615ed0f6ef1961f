import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually';
import type { Acknowledged } from '../client';
import { readLedger } from '../ledger';
import { saveDiamonds, submitAll } from '../load';
import type { Options, Scenario } from '../scenario';
import { judge, type Expected, type Report } from '../verdict';
import { World } from '../world';
import { stepsRun } from '../workflows';

const APPS = ['api', 'scheduler-1', 'scheduler-2', 'worker-1', 'worker-2'];
/** The one error that a recovery tells: what was found, and how many runs are made again. */
const RECOVERY = /Redis does not hold what Postgres knows; active runs are made again/;

/** A worker had recorded a task, and was about to add what that opens, when the jobs went. */
const EMPTIED_UNDER = /Missing key for parent job/;

/** Runs in all states: many short ones, and long ones that are under way for the whole time. */
async function load(world: World, runs: number, overMs: number): Promise<Acknowledged[]> {
  const short = submitAll(world, { count: runs, overMs });
  const long = submitAll(world, { count: 10, overMs: overMs / 2, make: () => stepsRun(12, 300) });
  return [...(await long), ...(await short)];
}

/** Starts everything, breaks something in the middle of runs, and judges. */
export async function disturbed(
  options: { runs: number; overMs: number; env?: NodeJS.ProcessEnv; expected: Expected },
  disturb: (world: World) => Promise<void>,
): Promise<Report> {
  const world = await World.open(options.env);
  try {
    await world.start(APPS);
    await saveDiamonds(world);
    const [runs] = await Promise.all([load(world, options.runs, options.overMs), disturb(world)]);
    return await judge(world, runs, options.expected);
  } finally {
    await world.close();
  }
}

async function halfway(world: World): Promise<void> {
  await eventually('work is under way', () => (readLedger(world.ledger).length > 100 ? true : undefined), 60_000);
}

export const redisKilled: Scenario = {
  name: 'redis-kill',
  breaks: 'Redis: SIGKILL five times, back on its file (AOF everysec) after 0 to 3 s',
  run: ({ runs, random }) =>
    disturbed({ runs: Math.ceil(runs / 4), overMs: 25_000, expected: { runs: Math.ceil(runs / 4) } }, async (world) => {
      await halfway(world);
      for (let round = 0; round < 5; round += 1) {
        await world.services.restartRedis(random() * 3_000);
        await delay(2_000 + random() * 3_000);
      }
    }),
};

export async function flushRedis(options: Options, env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const runs = Math.ceil(options.runs / 4);
  const expected = { runs, complaints: [RECOVERY, EMPTIED_UNDER] };
  return disturbed({ runs, overMs: 15_000, env, expected }, async (world) => {
    await halfway(world);
    await world.services.flushRedis();
  });
}

export const redisEmptied: Scenario = {
  name: 'redis-flush',
  breaks: 'Redis: FLUSHALL in the middle of runs',
  run: (options) => flushRedis(options),
};

export const redisOlder: Scenario = {
  name: 'redis-older',
  breaks: 'Redis: put back as it was 5 s before',
  run: ({ runs }) =>
    disturbed(
      {
        runs: Math.ceil(runs / 4),
        overMs: 20_000,
        expected: { runs: Math.ceil(runs / 4), complaints: [RECOVERY, EMPTIED_UNDER] },
      },
      async (world) => {
        await halfway(world);
        const folder = await world.services.copyRedis();
        await delay(5_000);
        await world.services.restartRedis(500, folder);
      },
    ),
};

export const postgresStopped: Scenario = {
  name: 'postgres',
  breaks: 'Postgres: SIGKILL or immediate stop every 5 to 10 s, for 0 to 2 s',
  run: ({ runs, random }) =>
    disturbed({ runs: Math.ceil(runs / 2), overMs: 45_000, expected: { runs: Math.ceil(runs / 2) } }, async (world) => {
      for (let round = 0; round < 6; round += 1) {
        await delay(4_000 + random() * 4_000);
        await world.services.restartPostgres(random() * 2_000, random() < 0.5 ? 'kill' : 'immediate');
      }
    }),
};
