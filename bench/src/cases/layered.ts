import type { Redis } from 'ioredis';
import type { Benchmark } from '../benchmark';
import { layered, range } from '../graphs';
import { median, timed } from '../numbers';
import { atMost, type Result } from '../report';

/** Large layered graphs: ten times the tasks may take ten times the time, the scheduler stays small, no script holds up Redis. */
export const largeGraph: Benchmark = {
  name: 'layered',
  about: 'a layered graph of 10,000 tasks',
  async run({ client, meter, redis, cleared }, { quick, rounds }): Promise<Result> {
    const tasks = quick ? 2_000 : 10_000;
    // A name of its own each time: no process knows the document before.
    const graph = (layers: number, round: number): string =>
      JSON.stringify({ workflow: { ...layered(layers, tasks / 100), name: `bench-layered-${round}` } });
    const ours = (body: string): Promise<number> => timed(async () => client.completed(await client.submitText(body)));
    await ours(graph(10, rounds));
    await ours(graph(100, rounds));
    await redis.config('SET', 'slowlog-log-slower-than', '5000');
    await redis.slowlog('RESET');
    const times: { small: number; large: number; memory: number }[] = [];
    let memory = 0;
    const watch = setInterval(() => (memory = Math.max(memory, meter.residentBytes('scheduler'))), 100);
    let usage;
    for (const round of range(rounds)) {
      await cleared();
      const small = await ours(graph(10, round));
      await cleared();
      let large = 0;
      memory = 0;
      usage = await meter.during(async () => void (large = await ours(graph(100, round))));
      times.push({ small, large, memory });
    }
    await cleared();
    clearInterval(watch);
    const largeMs = median(times.map((time) => time.large));
    const smallMs = median(times.map((time) => time.small));
    return {
      lines: [
        atMost(1.3, {
          name: `layered graph, ms per 1,000 tasks: ${tasks} beside ${tasks / 10} tasks`,
          unit: 'ms',
          lattice: largeMs / (tasks / 1_000),
          raw: smallMs / (tasks / 10_000),
        }),
        atMost(300, {
          name: 'memory of the scheduler meanwhile',
          unit: 'MB',
          lattice: median(times.map((time) => time.memory)) / 1_048_576,
        }),
        atMost(50, { name: 'longest script meanwhile', unit: 'ms', lattice: await slowest(redis) }),
      ],
      ...(usage === undefined ? {} : { usage: { layered: { ...usage, tasks } } }),
    };
  },
};

/** The longest command that the slow log has, in milliseconds; 5 when it has none. */
async function slowest(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 128)) as unknown[];
  const times = entries.map((entry) => (Array.isArray(entry) ? Number(entry[2]) : 0));
  return Math.max(5_000, ...times) / 1_000;
}
