import type { Redis } from 'ioredis';
import type { Benchmark } from '../benchmark';
import { layered } from '../graphs';
import { timed } from '../numbers';
import { atMost, type Result } from '../report';

/** Large layered graphs: ten times the tasks may take ten times the time, the scheduler stays small, no script holds up Redis. */
export const largeGraph: Benchmark = {
  name: 'layered',
  about: 'a layered graph of 10,000 tasks',
  async run({ client, meter, redis, cleared }, { quick }): Promise<Result> {
    const tasks = quick ? 2_000 : 10_000;
    const small = JSON.stringify({ workflow: layered(10, tasks / 100) });
    const large = JSON.stringify({ workflow: layered(100, tasks / 100) });
    const ours = (body: string): Promise<number> => timed(async () => client.completed(await client.submitText(body)));
    await ours(small);
    const smallMs = await ours(small);
    await cleared();
    await redis.config('SET', 'slowlog-log-slower-than', '5000');
    await redis.slowlog('RESET');
    let largeMs = 0;
    let memory = 0;
    const watch = setInterval(() => (memory = Math.max(memory, meter.residentBytes('scheduler'))), 100);
    const usage = await meter.during(async () => void (largeMs = await ours(large)));
    await cleared();
    clearInterval(watch);
    return {
      lines: [
        atMost(1.3, {
          name: `layered graph, ms per 1,000 tasks: ${tasks} beside ${tasks / 10} tasks`,
          unit: 'ms',
          lattice: largeMs / (tasks / 1_000),
          raw: smallMs / (tasks / 10_000),
        }),
        atMost(300, { name: 'memory of the scheduler meanwhile', unit: 'MB', lattice: memory / 1_048_576 }),
        atMost(50, { name: 'longest script meanwhile', unit: 'ms', lattice: await slowest(redis) }),
      ],
      usage: { layered: { ...usage, tasks } },
    };
  },
};

/** The longest command that the slow log has, in milliseconds; 5 when it has none. */
async function slowest(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 128)) as unknown[];
  const times = entries.map((entry) => (Array.isArray(entry) ? Number(entry[2]) : 0));
  return Math.max(5_000, ...times) / 1_000;
}
