import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/eventually';
import type { Submission } from '../client';
import { Followers } from '../follow';
import { readLedger } from '../ledger';
import { saveDiamonds, submitAll } from '../load';
import { Proxy, type Way } from '../proxy';
import type { Scenario } from '../scenario';
import { judge } from '../verdict';
import { note } from '../workflows';
import { World } from '../world';

const CUT_MS = 90_000;
/** Runs with a task that is under way on some worker when the ways are cut, and would go on for so long. */
const LONG = 6;
const LONG_MS = 20_000;
const WORKERS: Readonly<Record<string, Way>> = { 'worker-1': 'held', 'worker-2': 'refused', 'worker-3': 'dead' };

/** A run for the worker of this name alone. */
function pinned(place: string, ms: number): Submission {
  const task = { ...note(1, { ms }), runsOn: { place } };
  return { workflow: { name: 'pinned', tasks: { task } }, inputs: {}, expected: {} };
}

export const workersCutOff: Scenario = {
  name: 'cut-workers',
  breaks: 'worker to Redis: nothing passes for 90 s; one way is held, one refused, one forgets its connections',
  run: async ({ runs, say }) => {
    const world = await World.open();
    const count = Math.ceil(runs / 4);
    try {
      const proxies = new Map<string, Proxy>();
      await world.start(['api', 'scheduler-1', 'worker-4']);
      for (const name of Object.keys(WORKERS)) {
        const redis = world.keep(await Proxy.to(world.services.redisUrl));
        proxies.set(name, redis);
        await world.start([name], { redis, env: { LATTICE_LABELS: `place=${name}` } });
      }
      await saveDiamonds(world);
      const before = Object.keys(WORKERS).map((name) => pinned(name, 0));
      const short = submitAll(world, { count, overMs: CUT_MS });
      const known = await submitAll(world, { count: 3, overMs: 0, make: (n) => before[n] ?? before[0]! });
      await eventually('work is under way', () => (readLedger(world.ledger).length > 50 ? true : undefined), 60_000);
      const inputs = { n: 1, ms: LONG_MS };
      const make = (): Submission => ({ workflow: 'diamond', inputs, expected: { value: 4 } });
      const long = await submitAll(world, { count: LONG, overMs: 0, make });
      const isLong = new Set(long.map(({ runId }) => runId));
      const begun = (): number =>
        readLedger(world.ledger).filter(({ runId, task }) => task === 'b' && isLong.has(runId)).length;
      await eventually('the long tasks are under way', () => (begun() === LONG ? true : undefined), 60_000);
      for (const [name, proxy] of proxies) {
        world.cutOff(name);
        proxy.set(WORKERS[name] ?? 'held');
      }
      say('the workers are cut off');
      await delay(CUT_MS);
      for (const proxy of proxies.values()) proxy.set('open');
      say('the ways are open');
      const runsOf = [...known, ...long, ...(await short)];
      // Each of them takes jobs again: nobody else can take these.
      const names = [...proxies.keys()];
      const after = await submitAll(world, { count: 30, overMs: 0, make: (n) => pinned(names[n % 3] ?? '', 10) });
      // What the workers had when they were cut off was done by another.
      const expected = { runs: count + 33 + LONG, seconds: 1, endMs: 45_000 };
      return await judge(world, [...runsOf, ...after], expected);
    } finally {
      await world.close();
    }
  },
};

const PHASE_MS = 25_000;

export const controlCutOff: Scenario = {
  name: 'cut-control',
  breaks: 'API and scheduler to Redis: held, refused and forgotten for 25 s each',
  run: async ({ runs, say }) => {
    const world = await World.open();
    const count = Math.ceil(runs / 4);
    try {
      const ways = await Promise.all(['api', 'scheduler'].map(() => Proxy.to(world.services.redisUrl)));
      const [api, scheduler] = ways.map((proxy) => world.keep(proxy));
      if (api === undefined || scheduler === undefined) throw new Error('no proxies');
      await world.start(['api'], { redis: api });
      await world.start(['scheduler-1'], { redis: scheduler });
      await world.start(['worker-1', 'worker-2']);
      await saveDiamonds(world);
      const followers = new Followers(world);
      const follow = ({ runId }: { runId: string }): void => {
        if (followers.count < 30 && Number.parseInt(runId.slice(-2), 16) % 8 === 0) followers.follow(runId);
      };
      const short = submitAll(world, { count, overMs: 4 * PHASE_MS, on: follow });
      for (const way of ['held', 'refused', 'dead'] as const) {
        await delay(PHASE_MS / 3);
        say(`API and scheduler are cut off: ${way}`);
        for (const proxy of [api, scheduler]) proxy.set(way);
        await delay(PHASE_MS);
        for (const proxy of [api, scheduler]) proxy.set('open');
      }
      return await judge(world, await short, { runs: count, endMs: 60_000, faults: () => followers.faults() });
    } finally {
      await world.close();
    }
  },
};
