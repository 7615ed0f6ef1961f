import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark } from '../benchmark';
import { atMost, type Result } from '../report';
import { PARTS } from '../usage';

/** Nothing to do: what the platform uses all the same. */
export const idle: Benchmark = {
  name: 'idle',
  about: 'CPU and Postgres queries with nothing to do',
  async run({ meter, cleared }, { quick }): Promise<Result> {
    await cleared();
    // The API closes its bus a while after the last follower; the counters of Postgres are late by some seconds.
    await pause(12_000);
    const ms = quick ? 10_000 : 30_000;
    const usage = await meter.during(() => pause(ms));
    const cpu = PARTS.reduce((sum, part) => sum + usage.cpuMs[part], 0);
    return {
      lines: [
        atMost(2, { name: 'idle: CPU of all processes', unit: '% of a core', lattice: (100 * cpu) / usage.wallMs }),
        atMost(5, { name: 'idle: Postgres', unit: 'queries/s', lattice: (usage.transactions * 1_000) / usage.wallMs }),
      ],
      usage: { idle: { ...usage, tasks: 1 } },
    };
  },
};
