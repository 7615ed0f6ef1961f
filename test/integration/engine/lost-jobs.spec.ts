import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '@lattice/engine';
import { PLAN_VERSION } from '@lattice/flow';
import { queueNameOf, readHead } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { faultsOfHistory } from '../../support/history';
import { readLedger } from '../../support/handlers';
import { TestPlatform } from '../../support/platform';

test('a rerun that is yet to be sent is not taken for lost, however long that takes', async () => {
  const platform = await TestPlatform.open();
  const { db, queue } = platform.engine;
  try {
    const [scheduler, worker] = [await platform.scheduler(), await platform.worker()];
    const again = await platform.submit({ name: 'again', tasks: { a: { uses: 'handler/fail', with: { times: 1 } } } });
    expect((await platform.wait(again)).status).toBe('failed');
    await eventually('it is gone from Redis', async () => (await readHead(queue, again)) === undefined);
    await Promise.all([scheduler.stop(), worker.stop()]);
    await requestControl(platform.engine, again, 'retry');
    const lost = await platform.submit({ name: 'lost', tasks: { a: { uses: 'handler/echo' } } });
    await db.transaction(async (session) => {
      // As one does that has it in its hands with many others.
      await session.query('select from outbox where run_id = $1 for update', [again]);
      await platform.scheduler();
      const { key } = await eventually('the other one is queued', async () =>
        (await platform.read(lost)).tasks.find(({ status }) => status === 'queued'),
      );
      expect(key).toBe('a');
      await queue.redis.del(queue.keys.run(lost));
      await eventually('the one that was lost is made again', async () =>
        (await platform.events(lost)).some(({ type }) => type === 'run.recovered'),
      );
      expect((await platform.events(again)).at(-1)?.type).toBe('run.failed');
    });
    await platform.worker();
    for (const id of [again, lost]) expect((await platform.wait(id)).status).toBe('completed');
    expect((await platform.events(again)).map(({ type }) => type)).not.toContain('run.recovered');
    await platform.settled();
  } finally {
    await platform.close();
  }
});

test('a run that comes to Redis after it was missed there is not made again', async () => {
  const platform = await TestPlatform.open();
  const { queue } = platform.engine;
  try {
    let back: (() => Promise<void>) | undefined;
    await platform.scheduler(async (point, { runId }) => {
      if (point !== 'before-made-again') return;
      await back?.();
      expect(await readHead(queue, runId)).toBeDefined();
      back = undefined;
    });
    const runId = await platform.submit({ name: 'missed', tasks: { a: { uses: 'handler/echo' } } });
    await eventually('it is queued', async () => (await platform.read(runId)).tasks[0]?.status === 'queued');
    const key = queue.keys.run(runId);
    const dump = await queue.redis.dumpBuffer(key);
    await queue.redis.del(key);
    await new Promise<void>((resolve) => {
      back = async () => {
        if (dump !== null) await queue.redis.restore(key, 0, dump);
        resolve();
      };
    });
    await platform.worker();
    expect((await platform.wait(runId)).status).toBe('completed');
    expect((await platform.events(runId)).map(({ type }) => type)).not.toContain('run.recovered');
    await platform.settled();
  } finally {
    await platform.close();
  }
});

test('a task whose job went from Redis by itself is done again: the run is made again in another epoch', async () => {
  const platform = await TestPlatform.open({ LATTICE_LOCK: '3s' });
  try {
    await platform.scheduler();
    const dying = await platform.spawn({ kind: 'worker', race: 'after-begin', raceTask: 'b' });
    const runId = await platform.submit({
      name: 'three',
      tasks: {
        a: { uses: 'handler/echo', with: { n: 1 } },
        b: { uses: 'handler/echo', needs: ['a'], with: { n: 2 }, tags: ['apart'] },
        c: { uses: 'handler/echo', needs: ['b'], with: { n: '${{ tasks.a.output.n + tasks.b.output.n }}' } },
      },
      outputs: { n: '${{ tasks.c.output.n }}' },
    });
    await dying.ended;
    await eventually('history has the first task', async () => {
      const { tasks } = await platform.read(runId);
      return tasks[1]?.status === 'running' || undefined;
    });
    const { redis, keys } = platform.engine.queue;
    const queue = `${keys.prefix}:${queueNameOf('handler.echo', PLAN_VERSION)}`;
    const [job = ''] = await redis.lrange(`${queue}:active`, 0, -1);
    expect(job).toContain(runId);
    await redis.multi().lrem(`${queue}:active`, 0, job).del(`${queue}:${job}`, `${queue}:${job}:lock`).exec();
    await platform.worker();
    const run = await platform.wait(runId, 60_000);
    expect(run).toMatchObject({
      status: 'completed',
      outputs: { n: 3 },
      tasks: [{ attempts: 1 }, { attempts: 2 }, { attempts: 1 }],
    });
    const events = await platform.events(runId);
    expect(events.filter(({ type }) => type === 'run.recovered').map(({ data }) => data)).toEqual([
      { reason: 'job_lost' },
    ]);
    expect(faultsOfHistory(run, events)).toEqual([]);
    await platform.settled();
  } finally {
    await platform.close();
  }
});

test('a decision that was lost at the beginning of a run is made again: its condition is asked, not passed over', async () => {
  const platform = await TestPlatform.running();
  const file = join(platform.folder, 'held');
  try {
    const runId = await platform.submit({
      name: 'decided',
      inputs: { yes: { type: 'boolean', default: false } },
      tasks: {
        held: { uses: 'handler/hold', with: { file } },
        no: {
          uses: 'handler/note',
          with: { run: '${{ run.id }}', task: 'no', value: 1 },
          if: '${{ inputs.yes }}',
        },
      },
    });
    await eventually('it is skipped', async () => (await platform.read(runId)).tasks[1]?.status === 'skipped');
    // As if the record had been refused while Redis was recovered.
    const { redis, keys } = platform.engine.queue;
    const hash = keys.run(runId);
    await redis.multi().hdel(hash, 'r:no', 'e:no').hincrby(hash, 'n', 1).hincrby(hash, 'nc', -1).exec();
    writeFileSync(file, '');
    expect((await platform.wait(runId)).tasks).toMatchObject([
      { status: 'completed' },
      { status: 'skipped', reason: 'condition' },
    ]);
    expect(readLedger(platform.ledger).filter(({ run }) => run === runId)).toEqual([]);
    await platform.settled();
  } finally {
    rmSync(file, { force: true });
    await platform.close();
  }
});
