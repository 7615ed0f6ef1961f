import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark } from '../benchmark';
import type { Bench } from '../platform';
import { atMost, justSaid, type Result } from '../report';
import { cpuOf, PARTS } from '../usage';

/** Nothing to do, before anything was done: what the platform uses all the same. */
export const idle: Benchmark = {
  name: 'idle',
  about: 'CPU and Postgres queries with nothing to do',
  run: (bench, { quick }) => measure(bench, 'idle', quick),
};

/** The same behind all other cases. What Postgres does for them is over then: it cleans up after 100,000 runs for minutes. */
export const idleAfter: Benchmark = {
  name: 'idle-after',
  about: 'the same after all that',
  async run(bench, { quick }) {
    await bench.cleared();
    await cleanedUp(bench);
    return measure(bench, 'idle after all cases', quick);
  },
};

/**
 * The API closes its bus a while after the last follower, the counters of Postgres are late by some seconds, and V8 collects in a process that has become
 * idle what its start has left: each once.
 */
const SETTLED_MS = 45_000;

async function measure({ meter }: Bench, name: string, quick: boolean): Promise<Result> {
  await pause(quick ? 12_000 : SETTLED_MS);
  const ms = quick ? 10_000 : 30_000;
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
  let bareMs = 0;
  const usage = await meter.during(async () => {
    const before = cpuOf(bare.pid ?? 0);
    await pause(ms);
    bareMs = cpuOf(bare.pid ?? 0) - before;
  });
  bare.kill();
  const cpu = PARTS.reduce((sum, part) => sum + usage.cpuMs[part], 0);
  return {
    lines: [
      atMost(2, { name: `${name}: CPU of all processes`, unit: '% of a core', lattice: (100 * cpu) / usage.wallMs }),
      // What the machine takes for one wake a second: some take as much for that as for a hundred.
      justSaid({
        name: `${name}: a bare Node with one timer a second`,
        unit: '% of a core',
        lattice: (100 * bareMs) / usage.wallMs,
      }),
      atMost(5, { name: `${name}: Postgres`, unit: 'queries/s', lattice: (usage.transactions * 1_000) / usage.wallMs }),
    ],
    usage: { [name]: { ...usage, tasks: 1 } },
  };
}

/** It looks for work every minute. */
const QUIET_MS = 65_000;
const LIMIT_MS = 300_000;
const LOOK_MS = 1_000;

/** Resolves when Postgres has cleaned up nothing for a while; rejects when it does not come to an end. */
async function cleanedUp({ pool }: Bench): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  for (let quietSince = performance.now(); performance.now() - quietSince < QUIET_MS; await pause(LOOK_MS)) {
    const { rows } = await pool.query("select 1 from pg_stat_activity where backend_type = 'autovacuum worker'");
    if (rows.length > 0) quietSince = performance.now();
    if (performance.now() > end) throw new Error('Postgres still cleans up');
  }
}
