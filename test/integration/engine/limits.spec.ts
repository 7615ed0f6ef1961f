import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestCancel, requestControl } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ schedulers: 2 });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const inputs = { user: { type: 'string', default: 'u' }, ms: { type: 'number', default: 0 } };
const user = '${{ inputs.user }}';

/** A workflow whose only task notes that it ran. */
const noting = (name: string, limits: object) => ({
  name,
  inputs,
  ...limits,
  tasks: { t: { uses: 'handler/note', with: { run: '${{ run.id }}', task: user, value: 1, ms: '${{ inputs.ms }}' } } },
});

/** A workflow whose runs last until the file is made. */
function holding(name: string, limits: object): { document: Record<string, unknown>; release: () => void } {
  const file = join(platform.folder, name);
  return {
    document: { name, inputs, ...limits, tasks: { t: { uses: 'handler/hold', with: { file } } } },
    release: () => writeFileSync(file, ''),
  };
}

const status = async (id: string) => (await platform.read(id)).status;
const becomes = (id: string, wanted: string) =>
  eventually(`${id} is ${wanted}`, async () => ((await status(id)) === wanted ? true : undefined));
const waits = (id: string) =>
  eventually(`${id} waits`, async () => {
    const { status: now, reason } = await platform.read(id);
    return now === 'pending' && reason !== null ? reason : undefined;
  });

/** The most that were active at once, by the times in history. */
async function mostAtOnce(ids: readonly string[]): Promise<number> {
  const runs = await Promise.all(ids.map((id) => platform.read(id)));
  const edges = runs.flatMap(({ startedAt, finishedAt }) => [
    { at: Date.parse(startedAt ?? ''), by: 1 },
    { at: Date.parse(finishedAt ?? ''), by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of edges.sort((a, b) => a.at - b.at || a.by - b.by)) most = Math.max(most, (now += by));
  return most;
}

describe('concurrency', () => {
  test('queue: no more than the limit of a key at once, over two schedulers', async () => {
    const document = noting('queueing', { concurrency: { key: user, limit: 3 } });
    const ids: string[] = [];
    for (let round = 0; round < 30; round += 1) {
      const one = (name: string) => platform.submit(document, { inputs: { user: name, ms: 10 } });
      ids.push(...(await Promise.all([one('a'), one('b')])));
    }
    const runs = await Promise.all(ids.map((id) => platform.wait(id, 60_000)));
    expect(runs.every((run) => run.status === 'completed')).toBe(true);
    const of = (name: string) => runs.filter((run) => run.inputs['user'] === name).map(({ runId }) => runId);
    expect(await mostAtOnce(of('a'))).toBe(3);
    expect(await mostAtOnce(of('b'))).toBe(3);
    expect(readLedger(platform.ledger).filter(({ run }) => ids.includes(run))).toHaveLength(60);
  });

  test('queue: one waits with a reason, the next starts by priority, then by submission', async () => {
    const { document, release } = holding('order', { concurrency: {} });
    const first = await platform.submit(document);
    await becomes(first, 'running');
    const ids = [
      await platform.submit(document),
      await platform.submit(document, { priority: -5 }),
      await platform.submit(document, { priority: 5 }),
      await platform.submit(document),
    ];
    for (const id of ids) expect(await waits(id)).toBe('waits: at most 1 run of this workflow may be active at once');
    release();
    const runs = await Promise.all(ids.map((id) => platform.wait(id)));
    const order = [...runs].sort((a, b) => Date.parse(a.startedAt ?? '') - Date.parse(b.startedAt ?? ''));
    expect(order.map(({ runId }) => runId)).toEqual([ids[2], ids[0], ids[3], ids[1]]);
    for (const run of runs) expect(faultsOfHistory(run, await platform.events(run.runId))).toEqual([]);
    expect(runs.every(({ reason }) => reason === null)).toBe(true);
    await platform.wait(first);
  });

  test('rows that wait are out of the outbox', async () => {
    const { document, release } = holding('quiet', { concurrency: {} });
    const ids = [await platform.submit(document), await platform.submit(document), await platform.submit(document)];
    for (const id of ids.slice(1)) await waits(id);
    await eventually('the outbox is empty', async () => {
      const rows = await platform.engine.db.query('select 1 from outbox where run_id = any($1)', [ids]);
      return rows.length === 0 ? true : undefined;
    });
    release();
    for (const id of ids) await platform.wait(id);
    await eventually('no place is kept', async () => {
      const rows = await platform.engine.db.query('select 1 from admissions where run_id = any($1)', [ids]);
      return rows.length === 0 ? true : undefined;
    });
  });

  test('cancel-running: the newest goes on, older ones are cancelled, waiting ones too', async () => {
    const { document, release } = holding('newest', { concurrency: { key: user, policy: 'cancel-running' } });
    const first = await platform.submit(document);
    await becomes(first, 'running');
    const second = await platform.submit(document);
    const other = await platform.submit(document, { inputs: { user: 'other' } });
    const third = await platform.submit(document);
    expect(await platform.wait(first)).toMatchObject({ status: 'cancelled' });
    expect((await platform.wait(second)).status).toBe('cancelled');
    await becomes(third, 'running');
    await becomes(other, 'running');
    release();
    expect((await platform.wait(third)).status).toBe('completed');
    expect((await platform.wait(other)).status).toBe('completed');
    expect((await platform.read(first)).reason).toContain('replaced by the newer run');
    expect(await mostAtOnce([first, third])).toBe(1);
  });

  test('reject: exactly the limit gets in, the others are told at once', async () => {
    const { document, release } = holding('full', { concurrency: { limit: 5, policy: 'reject' } });
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => platform.submit(document).catch((error: unknown) => error)),
    );
    const ids = answers.filter((answer) => typeof answer === 'string');
    expect(ids).toHaveLength(5);
    const refused = answers.filter((answer) => typeof answer !== 'string');
    expect(refused).toHaveLength(25);
    for (const answer of refused) expect(answer).toMatchObject({ code: 'concurrency_limit' });
    const [rows] = await platform.engine.db.query("select count(*)::int as n from runs where workflow = 'full'");
    expect(rows?.['n']).toBe(5);
    release();
    for (const id of ids) await platform.wait(id);
    const again = await platform.run(document);
    expect(again.status).toBe('completed');
  });

  test('a run that waits can be cancelled, and paused and resumed, without getting past the limit', async () => {
    const { document, release } = holding('control', { concurrency: {} });
    const first = await platform.submit(document);
    await becomes(first, 'running');
    const second = await platform.submit(document);
    const third = await platform.submit(document);
    await waits(second);
    await waits(third);
    await requestControl(platform.engine, second, 'pause');
    await becomes(second, 'paused');
    await requestControl(platform.engine, second, 'resume');
    await becomes(second, 'running');
    await requestCancel(platform.engine, third, 'no more');
    expect((await platform.wait(third)).status).toBe('cancelled');
    expect((await platform.read(second)).tasks[0]).toMatchObject({ status: 'pending', attempts: 0 });
    release();
    expect((await platform.wait(second)).status).toBe('completed');
    await platform.wait(first);
    const [started] = (await platform.events(second)).filter(({ type }) => type === 'task.started');
    const end = (await platform.events(first)).at(-1);
    expect(BigInt(started?.id ?? 0)).toBeGreaterThan(BigInt(end?.id ?? 0));
  });

  test('a retry of a run takes its turn as well', async () => {
    const file = join(platform.folder, 'again');
    const document = {
      name: 'again',
      inputs,
      concurrency: {},
      tasks: {
        a: { uses: 'handler/fail', with: { times: 1 } },
        b: { uses: 'handler/hold', with: { file }, needs: 'a' },
      },
    };
    const failed = await platform.run(document);
    expect(failed.status).toBe('failed');
    const other = { ...document, tasks: { b: { uses: 'handler/hold', with: { file } } } };
    const holder = await platform.submit(other);
    await becomes(holder, 'running');
    await requestControl(platform.engine, failed.runId, 'retry');
    await eventually('it waits', async () => ((await platform.read(failed.runId)).reason === null ? undefined : true));
    expect((await platform.read(failed.runId)).tasks[0]?.status).toBe('pending');
    writeFileSync(file, '');
    expect((await platform.wait(failed.runId)).status).toBe('completed');
    expect((await platform.wait(holder)).status).toBe('completed');
  });

  test('a key that can not be made from the inputs is refused with the submission', async () => {
    const document = noting('keyless', { concurrency: { key: '${{ inputs.user.name }}' } });
    await expect(platform.submit(document)).rejects.toMatchObject({ code: 'invalid_inputs' });
    const wrong = noting('wrong', {
      concurrency: { key: '${{ tasks.t.output }}' },
      fairShare: { key: '${{ inputs.x }}' },
    });
    await expect(platform.submit(wrong)).rejects.toMatchObject({
      code: 'invalid_document',
      faults: [
        { code: 'unreachable_reference', pointer: '/workflow/concurrency/key' },
        { code: 'unreachable_reference', pointer: '/workflow/fairShare/key' },
      ],
    });
  });

  test('a scheduler that is killed with runs in its hands keeps no place, and none is lost', async () => {
    const other = await TestPlatform.open();
    try {
      await other.worker();
      const document = {
        name: 'killed',
        concurrency: { limit: 2 },
        tasks: { t: { uses: 'handler/note', with: { run: '${{ run.id }}', task: 't', value: 1, ms: 5 } } },
      };
      const ids: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        const race = (['after-create', 'after-outbox-send', 'after-flush'] as const)[round] ?? 'after-flush';
        const dying = await other.spawn({ kind: 'scheduler', race });
        for (let count = 0; count < 5; count += 1) ids.push(await other.submit(document));
        expect(await dying.ended).toBe('SIGKILL');
      }
      await other.scheduler();
      await other.scheduler();
      for (const id of ids) expect((await other.wait(id, 60_000)).status).toBe('completed');
      const ledger = readLedger(other.ledger);
      expect(new Set(ledger.map(({ run }) => run)).size).toBe(ids.length);
      await other.settled();
    } finally {
      await other.close();
    }
  });
});

describe('rateLimit', () => {
  test('no span has more starts than the limit; the others wait with a reason, and none is dropped', async () => {
    const document = noting('rated', { rateLimit: { key: user, limit: 3, per: '1s' } });
    const ids = await Promise.all(Array.from({ length: 8 }, () => platform.submit(document)));
    const free = await platform.submit(document, { inputs: { user: 'other' } });
    await eventually('some wait', async () => {
      const runs = await Promise.all(ids.map((id) => platform.read(id)));
      const reasons = runs.map(({ reason }) => reason);
      const wanted = 'waits: at most 3 runs of this workflow with the key "u" may start in 1s';
      return reasons.filter((reason) => reason === wanted).length >= 4 ? true : undefined;
    });
    expect((await platform.wait(free)).status).toBe('completed');
    const runs = await Promise.all(ids.map((id) => platform.wait(id)));
    const starts = runs.map(({ startedAt }) => Date.parse(startedAt ?? '')).sort((a, b) => a - b);
    starts.forEach((start, index) => {
      expect((starts[index + 3] ?? Infinity) - start).toBeGreaterThanOrEqual(1_000);
    });
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeLessThan(6_000);
  });
});

describe('fairShare', () => {
  test('B10: a tenant with five runs is not held up by one with five hundred', async () => {
    const other = await TestPlatform.open({ LATTICE_CONCURRENCY: '2' });
    try {
      await other.scheduler();
      await other.scheduler();
      await other.worker();
      const document = {
        name: 'fair',
        inputs: { tenant: { type: 'string' } },
        fairShare: { key: '${{ inputs.tenant }}' },
        tasks: {
          t: {
            uses: 'handler/note',
            with: { run: '${{ run.id }}', task: '${{ inputs.tenant }}', value: 1, ms: 5 },
          },
        },
      };
      const submit = (tenant: string, count: number) =>
        Promise.all(Array.from({ length: count }, () => other.submit(document, { inputs: { tenant } })));
      const a = await submit('a', 500);
      const before = readLedger(other.ledger).length;
      const b = await submit('b', 5);
      for (const id of b) await other.wait(id, 100_000);
      const ledger = readLedger(other.ledger);
      const last = ledger.findLastIndex(({ task }) => task === 'b');
      expect(last - before).toBeLessThan(80);
      expect(ledger.length).toBeLessThan(400);
      for (const id of a) expect((await other.wait(id, 100_000)).status).toBe('completed');
      await other.settled(60_000);
    } finally {
      await other.close();
    }
  }, 240_000);

  test('runs that nobody takes hold up their own group only', async () => {
    const document = {
      name: 'stuck',
      inputs: { tenant: { type: 'string' }, nobody: { type: 'boolean', default: false } },
      fairShare: { key: '${{ inputs.tenant }}' },
      tasks: {
        t: { uses: 'handler/noop', if: '${{ !inputs.nobody }}' },
        n: { uses: 'handler/nobody', if: '${{ inputs.nobody }}' },
      },
    };
    const stuck = await Promise.all(
      Array.from({ length: 12 }, () => platform.submit(document, { inputs: { tenant: 'a', nobody: true } })),
    );
    await eventually('two wait', async () => {
      const runs = await Promise.all(stuck.map((id) => platform.read(id)));
      return runs.filter(({ status: now }) => now === 'pending').length === 2 ? true : undefined;
    });
    const free = await platform.submit(document, { inputs: { tenant: 'b' } });
    expect((await platform.wait(free)).status).toBe('completed');
    for (const id of stuck) await requestCancel(platform.engine, id, 'enough');
    for (const id of stuck) expect((await platform.wait(id)).status).toBe('cancelled');
  });
});
