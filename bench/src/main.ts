import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark, Scale } from './benchmark';
import { manyChains, oneChain } from './cases/chain';
import { diamonds } from './cases/diamonds';
import { executorStarts } from './cases/executors';
import { fanOut } from './cases/fan';
import { idle, idleAfter } from './cases/idle';
import { largeGraph } from './cases/layered';
import { manyQueued } from './cases/queued';
import { singleTask } from './cases/single';
import { openBench, type Bench } from './platform';
import { table, usageTable, type Measured } from './report';

const BENCHMARKS: readonly Benchmark[] = [
  idle,
  singleTask,
  oneChain,
  manyChains,
  diamonds,
  fanOut,
  largeGraph,
  manyQueued,
  idleAfter,
  executorStarts,
];
const RESULTS = resolve(__dirname, '..', 'out', 'results.json');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: RESULTS },
    },
  });
  const chosen = BENCHMARKS.filter(({ name }) => values.only === undefined || values.only.includes(name));
  if (chosen.length === 0) throw new Error(`no such benchmark; there are:\n${list()}`);
  const scale = { quick: values.quick, rounds: values.quick ? 2 : 5 };
  const bench = await openBench();
  try {
    const machine = await describeMachine(bench);
    say(
      Object.entries(machine)
        .map(([key, value]) => `${key} ${value}`)
        .join(', '),
    );
    const measured = await runAll(bench, chosen, scale);
    say(`\n${table(measured.flatMap(({ lines }) => lines))}\n\n${usageTable(measured)}`);
    mkdirSync(dirname(values.json), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify({ machine, scale, measured }, null, 2)}\n`);
    say(`\n${values.json}`);
  } finally {
    await bench.close();
  }
}

async function runAll(bench: Bench, chosen: readonly Benchmark[], scale: Scale): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const benchmark of chosen) {
    const start = performance.now();
    const result = await benchmark.run(bench, scale);
    measured.push({ benchmark: benchmark.name, ...result });
    say(`${benchmark.about}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  }
  return measured;
}

function list(): string {
  return BENCHMARKS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n');
}

async function describeMachine({ redis, pool }: Bench): Promise<Record<string, string>> {
  const server = await redis.info('server');
  const { rows } = await pool.query<{ server_version: string }>('show server_version');
  return {
    node: process.version,
    redis: /redis_version:(\S+)/.exec(server)?.[1] ?? '?',
    postgres: rows[0]?.server_version ?? '?',
    cpus: String(availableParallelism()),
    'load before': loadavg()
      .map((load) => load.toFixed(1))
      .join(' '),
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
