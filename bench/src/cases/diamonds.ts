import type { Benchmark } from '../benchmark';
import { diamond, range } from '../graphs';
import { eachOf, median } from '../numbers';
import { atLeast, type Result } from '../report';
import type { Usage } from '../usage';

const TASKS = 4;

/** 2,000 diamonds: how fast REST takes them, and how fast those left are done once the last is taken. */
export const diamonds: Benchmark = {
  name: 'diamonds',
  about: '2,000 diamonds, and the rate of submission',
  async run({ client, raw, meter, pool, drained, cleared }, { rounds, quick }): Promise<Result> {
    const runs = quick ? 300 : 2_000;
    const body = JSON.stringify({ workflow: diamond() });
    const rates: { raw: number; drain: number; whole: number; submit: number }[] = [];
    const usage: Record<string, Usage & { tasks: number }> = {};
    const left = async (): Promise<number> => {
      const { rows } = await pool.query<{ count: string }>(
        `select count(*) from tasks where run_id in (select id from runs where finished_at is null) and finished_at is null`,
      );
      return Number(rows[0]?.count ?? 0);
    };
    for (const round of range(rounds + 1)) {
      const rawMs = await raw.jobs(runs * TASKS);
      await cleared();
      const start = performance.now();
      let submitted = start;
      let rest = 0;
      let taken = start;
      const used = await meter.during(async () => {
        await eachOf(range(runs), 16, () => client.submitText(body));
        submitted = performance.now();
        rest = await left();
        taken = performance.now();
        await drained();
      });
      const end = performance.now();
      // The first round warms up.
      if (round === 0) continue;
      usage['diamonds'] = { ...used, tasks: runs * TASKS };
      rates.push({
        raw: (runs * TASKS * 1_000) / rawMs,
        drain: (rest * 1_000) / (end - taken),
        whole: (runs * TASKS * 1_000) / (end - start),
        submit: (runs * 1_000) / (submitted - start),
      });
    }
    const of = (pick: (rate: { raw: number; drain: number; whole: number; submit: number }) => number): number =>
      median(rates.map(pick));
    const rawRate = of((rate) => rate.raw);
    return {
      lines: [
        atLeast(0.3, {
          name: `${runs} diamonds, from the last 202`,
          unit: 'tasks/s',
          lattice: of((rate) => rate.drain),
          raw: rawRate,
        }),
        atLeast(0, {
          name: `${runs} diamonds, from the first submit`,
          unit: 'tasks/s',
          lattice: of((rate) => rate.whole),
          raw: rawRate,
        }),
        atLeast(500, { name: 'submission over REST', unit: 'runs/s', lattice: of((rate) => rate.submit) }),
      ],
      usage,
    };
  },
};
