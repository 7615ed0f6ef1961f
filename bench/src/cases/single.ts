import type { Benchmark } from '../benchmark';
import { range, single } from '../graphs';
import { median, timed } from '../numbers';
import { atMost } from '../report';

/** One task over REST, from the submit to the answer that it has completed. */
export const singleTask: Benchmark = {
  name: 'single',
  about: 'one task over REST, submit to completed',
  async run({ client, meter }, { rounds, quick }) {
    const body = JSON.stringify({ workflow: single() });
    const once = (): Promise<number> => timed(async () => client.completed(await client.submitText(body)));
    const each = quick ? 20 : 60;
    for (const _ of range(each)) await once();
    const medians: number[] = [];
    const usage = await meter.during(async () => {
      for (const _ of range(rounds)) {
        const times: number[] = [];
        for (const _again of range(each)) times.push(await once());
        medians.push(median(times));
      }
    });
    return {
      lines: [atMost(6, { name: 'one task over REST, p50', unit: 'ms', lattice: median(medians) })],
      usage: { single: { ...usage, tasks: rounds * each } },
    };
  },
};
