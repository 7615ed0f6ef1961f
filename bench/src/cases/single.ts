import type { Benchmark } from '../benchmark';
import { range, single } from '../graphs';
import { median, timed } from '../numbers';
import { atMost, justSaid } from '../report';

/** Runs after which code is optimised as it will be: the p50 hardly falls any more. */
const WARM_UP = 600;
/** What a user meets who has just started the platform. */
const FIRST = 100;

/** One task over REST, from the submit to the answer that it has completed: of a platform that was just started, and of one that has been used. */
export const singleTask: Benchmark = {
  name: 'single',
  about: 'one task over REST, submit to completed',
  async run({ client, meter }, { rounds, quick }) {
    const body = JSON.stringify({ workflow: single() });
    const once = (): Promise<number> => timed(async () => client.completed(await client.submitText(body)));
    const times = async (count: number): Promise<number[]> => {
      const all: number[] = [];
      for (const _ of range(count)) all.push(await once());
      return all;
    };
    const first = median(await times(FIRST));
    if (!quick) await times(WARM_UP);
    const each = quick ? 20 : 60;
    const medians: number[] = [];
    const usage = await meter.during(async () => {
      for (const _ of range(rounds)) medians.push(median(await times(each)));
    });
    return {
      lines: [
        atMost(6, { name: 'one task over REST, p50', unit: 'ms', lattice: median(medians) }),
        justSaid({ name: `of the first ${FIRST} after the start`, unit: 'ms', lattice: first }),
      ],
      usage: { single: { ...usage, tasks: rounds * each } },
    };
  },
};
