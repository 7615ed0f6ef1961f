import { setTimeout as delay } from 'node:timers/promises';
import { Followers } from '../follow';
import { keepOn, saveDiamonds, submitAll } from '../load';
import type { Options, Scenario } from '../scenario';
import { judge, type Report } from '../verdict';
import { World } from '../world';

const APPS = ['api', 'scheduler-1', 'scheduler-2', 'worker-1', 'worker-2', 'worker-3'];
const EVERY_MS = 3_500;
const FOLLOWED = 20;

/** SIGKILL for one app after the other, while runs are submitted. */
export async function killApps(
  { runs, random, say }: Options,
  options: { overMs: number; everyMs: number; env?: NodeJS.ProcessEnv; recoveryMs?: number; seconds?: number },
): Promise<Report> {
  const world = await World.open(options.env);
  try {
    await world.start(APPS);
    await saveDiamonds(world);
    const followers = new Followers(world);
    // By chance, not in turn: turns that take as long as a recovery would hit the same work again and again.
    const killing = keepOn(async () => {
      await delay(options.everyMs * (0.5 + random()));
      await world.kill(APPS[Math.floor(random() * APPS.length)] ?? '');
    });
    const acknowledged = await submitAll(world, {
      count: runs,
      overMs: options.overMs,
      on: ({ runId }) => {
        if (followers.count < FOLLOWED && random() < (2 * FOLLOWED) / runs) followers.follow(runId);
      },
    }).finally(() => killing.stop());
    say(`${acknowledged.length} runs acknowledged, ${world.kills.length} kills; waiting for the rest`);
    return await judge(world, acknowledged, {
      runs,
      // How many second executions are to be provoked at least.
      seconds: options.seconds ?? 1,
      faults: () => followers.faults(),
      ...(options.recoveryMs === undefined ? {} : { recoveryMs: options.recoveryMs }),
    });
  } finally {
    await world.close();
  }
}

export const kills: Scenario = {
  name: 'kills',
  breaks: 'API, schedulers and workers: SIGKILL every 2 to 5 s',
  run: (options) => killApps(options, { overMs: Math.max(20_000, options.runs * 30), everyMs: EVERY_MS }),
};
