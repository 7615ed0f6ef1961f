import type { Benchmark } from '../benchmark';
import { fan, range } from '../graphs';
import { median, timed } from '../numbers';
import { rawFanIn } from '../raw';
import { atMost, type Result } from '../report';

/** One task, 1,000 beside each other, one; BullMQ alone can only say the last two layers. */
export const fanOut: Benchmark = {
  name: 'fan',
  about: '1 -> 1,000 -> 1',
  async run({ client, raw, meter, cleared }, { rounds, quick }): Promise<Result> {
    const width = quick ? 200 : 1_000;
    const body = JSON.stringify({ workflow: fan(width) });
    const ours = (): Promise<number> => timed(async () => client.completed(await client.submitText(body)));
    await ours();
    await raw.flows(() => rawFanIn(width), 1);
    const times: { raw: number; lattice: number }[] = [];
    let usage;
    for (const _ of range(rounds)) {
      await cleared();
      const rawMs = await raw.flows(() => rawFanIn(width), 1);
      let lattice = 0;
      usage = await meter.during(async () => void (lattice = await ours()));
      times.push({ raw: rawMs, lattice });
    }
    const line = {
      name: `1 -> ${width} -> 1`,
      unit: 'ms',
      lattice: median(times.map((time) => time.lattice)),
      raw: median(times.map((time) => time.raw)),
    };
    return {
      lines: [atMost(2, line)],
      ...(usage === undefined ? {} : { usage: { fan: { ...usage, tasks: width + 2 } } }),
    };
  },
};
