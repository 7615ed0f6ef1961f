import type { Benchmark } from '../benchmark';
import { range, single } from '../graphs';
import { median } from '../numbers';
import type { Bench } from '../platform';
import { atMost, type Result } from '../report';
import { PARTS, type Usage } from '../usage';

/** So many at first: what is compared with, and what warms up. */
const FEW = 2_000;

/** Many queued runs: a task costs as much with 100,000 waiting as with 2,000; and Redis is as small as before in the end. */
export const manyQueued: Benchmark = {
  name: 'queued',
  about: '100,000 queued runs of one task, and what they leave in Redis',
  async run(bench, { quick, rounds }): Promise<Result> {
    const many = quick ? 10_000 : 100_000;
    await fill(bench, FEW);
    const before = await memory(bench);
    const few: number[] = [];
    for (const _ of range(rounds)) few.push(cpuOf(await fill(bench, FEW), FEW));
    const usage = await fill(bench, many);
    const left = (await memory(bench)) - before;
    return {
      lines: [
        atMost(1.3, {
          name: `CPU of a task, ${many} queued beside ${FEW}`,
          unit: 'us',
          lattice: cpuOf(usage, many),
          raw: median(few),
        }),
        atMost(5, { name: `Redis after ${many} runs, more than before`, unit: 'MB', lattice: left / 1_048_576 }),
      ],
      usage: { queued: { ...usage, tasks: many } },
    };
  },
};

/** Microseconds of CPU of all processes for each run. Time would say more of the machine than of the queue. */
function cpuOf({ cpuMs }: Usage, runs: number): number {
  return (1_000 * PARTS.reduce((sum, part) => sum + cpuMs[part], 0)) / runs;
}

/** Queues so many runs while the worker stands still, lets it go, and waits until nothing of them is left in Redis. */
async function fill({ client, meter, pool, drained, cleared, queued, worker }: Bench, runs: number): Promise<Usage> {
  const model = await client.submit(single());
  await drained();
  await cleared();
  worker('SIGSTOP');
  try {
    return await meter.during(async () => {
      await pool.query(COPY, [model, runs]);
      await queued();
      worker('SIGCONT');
      await drained();
      await cleared();
    });
  } finally {
    worker('SIGCONT');
  }
}

/** A submission each would take minutes and is measured elsewhere: the rows that it makes are copied, with ids as it makes them, by time. */
const COPY = `
with made as (
  insert into runs (id, workflow, document_sha, inputs, task_count)
  select uuidv7(), workflow, document_sha, inputs, task_count from runs, generate_series(1, $2::int) where id = $1
  returning id
), stored_tasks as (
  insert into tasks (run_id, key, position) select made.id, task.key, task.position from made, tasks task where task.run_id = $1
)
insert into outbox (kind, run_id) select 'run', id from made`;

async function memory({ redis, cleared }: Bench): Promise<number> {
  await cleared();
  await redis.call('MEMORY', 'PURGE');
  const info = await redis.info('memory');
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}
