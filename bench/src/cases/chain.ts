import type { Benchmark, Scale } from '../benchmark';
import { chain, range } from '../graphs';
import { eachOf, median, timed } from '../numbers';
import type { Bench } from '../platform';
import { rawChain } from '../raw';
import { atLeast, atMost, type Result } from '../report';
import type { Usage } from '../usage';

const LENGTH = 40;
const RUNS = 250;

/** A chain of 40, one at a time: submit to final. */
export const oneChain: Benchmark = {
  name: 'chain',
  about: 'a chain of 40, one at a time',
  async run({ client, raw, meter }, { rounds, quick }): Promise<Result> {
    const each = quick ? 5 : 15;
    const fused = JSON.stringify({ workflow: chain(LENGTH, true) });
    const apart = JSON.stringify({ workflow: chain(LENGTH, false) });
    const ours = async (body: string): Promise<number> => {
      const times: number[] = [];
      for (const _ of range(each)) times.push(await timed(async () => client.completed(await client.submitText(body))));
      return median(times);
    };
    const theirs = async (): Promise<number> => {
      const times: number[] = [];
      for (const _ of range(each)) times.push(await raw.flows(() => rawChain(LENGTH), 1));
      return median(times);
    };
    await ours(fused);
    await ours(apart);
    await theirs();
    const times: { raw: number; fused: number; apart: number }[] = [];
    const usage: Usage[] = [];
    for (const _ of range(rounds)) {
      const rawTime = await theirs();
      let fusedTime = 0;
      usage.push(await meter.during(async () => void (fusedTime = await ours(fused))));
      times.push({ raw: rawTime, fused: fusedTime, apart: await ours(apart) });
    }
    const rawTime = median(times.map((time) => time.raw));
    const line = (name: string, lattice: number) => ({ name, unit: 'ms', lattice, raw: rawTime });
    const [used] = usage;
    return {
      lines: [
        atMost(1, line('chain of 40, fused', median(times.map((time) => time.fused)))),
        atMost(2, line('chain of 40, fuse: false', median(times.map((time) => time.apart)))),
      ],
      ...(used === undefined ? {} : { usage: { 'chain of 40, fused': { ...used, tasks: each * LENGTH } } }),
    };
  },
};

/** 250 chains of 40 at once, first submit to last end. */
export const manyChains: Benchmark = {
  name: 'chains',
  about: '250 chains of 40 at once',
  async run(bench, scale): Promise<Result> {
    const { raw } = bench;
    await chainsOnce(bench, true, scale);
    const rounds: { raw: number; fused: number; apart: number }[] = [];
    const usage: Record<string, Usage & { tasks: number }> = {};
    const runs = runsOf(scale);
    for (const _ of range(scale.rounds)) {
      const rawMs = await raw.flows(() => rawChain(LENGTH), runs);
      const fused = await chainsOnce(bench, true, scale);
      const apart = await chainsOnce(bench, false, scale);
      usage['chains of 40, fused'] = { ...fused.usage, tasks: runs * LENGTH };
      usage['chains of 40, fuse: false'] = { ...apart.usage, tasks: runs * LENGTH };
      rounds.push({ raw: rawMs, fused: fused.ms, apart: apart.ms });
    }
    const rate = (pick: (round: { raw: number; fused: number; apart: number }) => number): number =>
      (runs * LENGTH * 1_000) / median(rounds.map(pick));
    const line = (name: string, lattice: number) => ({
      name,
      unit: 'tasks/s',
      lattice,
      raw: rate((round) => round.raw),
    });
    return {
      lines: [
        atLeast(
          1.2,
          line(
            `${runs} chains of 40, fused`,
            rate((round) => round.fused),
          ),
        ),
        atLeast(
          0.6,
          line(
            `${runs} chains of 40, fuse: false`,
            rate((round) => round.apart),
          ),
        ),
      ],
      usage,
    };
  },
};

function runsOf({ quick }: Scale): number {
  return quick ? 50 : RUNS;
}

async function chainsOnce(bench: Bench, fuse: boolean, scale: Scale): Promise<{ ms: number; usage: Usage }> {
  const body = JSON.stringify({ workflow: chain(LENGTH, fuse) });
  await bench.cleared();
  let ms = 0;
  const usage = await bench.meter.during(async () => {
    ms = await timed(async () => {
      await eachOf(range(runsOf(scale)), 16, () => bench.client.submitText(body));
      await bench.drained();
    });
  });
  return { ms, usage };
}
