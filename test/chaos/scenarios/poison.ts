import type { Submission } from '../client';
import { saveDiamonds, submitAll } from '../load';
import type { Options, Scenario } from '../scenario';
import { judge, type Report } from '../verdict';
import { World } from '../world';

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const proto = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown;

/** What a handler gives, and what the run has of it: a value, or the code of its error. */
const POISONS: Readonly<Record<string, { output: unknown } | string>> = {
  nul: { output: 'a\0b' },
  surrogate: { output: ['\ud800', { '\udc00': 1 }] },
  nan: 'output_not_json',
  infinity: 'output_not_json',
  undefined: { output: null },
  hole: { output: { here: 1 } },
  bigint: 'output_not_json',
  large: 'output_too_large',
  kept: { output: '\u20ac'.repeat(300_000) },
  nested: { output: nested(900) },
  deep: 'output_not_json',
  proto: { output: proto },
  at: { output: '@1.1' },
  cycle: 'output_not_json',
  getter: 'output_not_json',
};

function poisonRun(kind: string): Submission {
  const poison = POISONS[kind] ?? '';
  const tasks = {
    poison: { uses: 'handler/poison', with: { kind } },
    // What one gives the next one takes, gives back, and the run has it.
    taker: { uses: 'handler/note', with: { value: '${{ tasks.poison.output }}' } },
  };
  const workflow = { name: `poison-${kind}`, tasks, outputs: { value: '${{ tasks.taker.output }}' } };
  return { workflow, inputs: {}, expected: typeof poison === 'string' ? poison : { value: poison.output } };
}

export async function poisonAll({ runs }: Options): Promise<Report> {
  const world = await World.open();
  const kinds = Object.keys(POISONS);
  const rounds = 4;
  const others = Math.ceil(runs / 10);
  try {
    await world.start(['api', 'scheduler-1', 'worker-1', 'worker-2']);
    await saveDiamonds(world);
    const good = submitAll(world, { count: others, overMs: 5_000 });
    const make = (n: number): Submission => poisonRun(kinds[n % kinds.length] ?? '');
    const bad = await submitAll(world, { count: rounds * kinds.length, overMs: 5_000, make });
    return await judge(world, [...bad, ...(await good)], { runs: rounds * kinds.length + others });
  } finally {
    await world.close();
  }
}

export const poisons: Scenario = {
  name: 'poison',
  breaks: 'outputs: NUL, half surrogates, NaN, Infinity, BigInt, 9 MB, a cycle, 200,000 levels, `__proto__`',
  run: poisonAll,
};
