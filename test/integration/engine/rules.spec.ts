import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestControl } from '@lattice/engine';
import { orderWorker } from '@lattice/queue';
import { eventually } from '../../support/eventually';
import { readLedger } from '../../support/handlers';
import { faultsOfHistory } from '../../support/history';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.running({ environment: { LATTICE_CONCURRENCY: '1' } });
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

const note = (task: string, extra: object = {}) => ({
  uses: 'handler/note',
  with: { run: '${{ run.id }}', task, value: task },
  ...extra,
});

/** A task that lasts until the file is made. */
function hold(name: string): { task: { uses: string; with: object }; release: () => void } {
  const file = join(platform.folder, name);
  return { task: { uses: 'handler/hold', with: { file } }, release: () => writeFileSync(file, '') };
}

async function started(runId: string, key: string): Promise<void> {
  await eventually(`${key} runs`, async () =>
    (await platform.read(runId)).tasks.find((task) => task.key === key)?.status === 'running' ? true : undefined,
  );
}

test('B7, RF-T4: the arm not taken is skipped, and a join of both arms runs', async () => {
  const run = await platform.run({
    name: 'branch',
    tasks: {
      n: { uses: 'handler/echo', with: { value: 1 } },
      left: note('left', { if: '${{ tasks.n.output.value > 0 }}' }),
      right: note('right', { if: '${{ tasks.n.output.value <= 0 }}' }),
      far: note('far', { needs: 'right' }),
      join: note('join', { needs: ['left', 'far'], trigger: 'one-success' }),
      after: note('after', { needs: 'join' }),
    },
    outputs: { join: '${{ tasks.join.output }}', right: '${{ tasks.right.output }}' },
  });
  expect(run).toMatchObject({ status: 'completed', outputs: { join: 'join', right: null } });
  const byKey = Object.fromEntries(run.tasks.map(({ key, status, reason }) => [key, [status, reason]]));
  expect(byKey).toMatchObject({
    left: ['completed', null],
    right: ['skipped', 'condition'],
    far: ['skipped', 'dependency_skipped'],
    join: ['completed', null],
    after: ['completed', null],
  });
});

test('a task that only hands on the status of a dependency does not decide about its failure; one whose condition asks for it does', async () => {
  const run = await platform.run({
    name: 'told',
    onFailure: 'continue',
    tasks: {
      bad: { uses: 'handler/fail' },
      told: note('told', { needs: 'bad', if: '${{ run.id != "" }}', env: { S: '${{ tasks.bad.status }}' } }),
      asks: note('asks', { if: "${{ tasks.bad.status == 'failed' }}" }),
    },
  });
  expect(run.tasks.map(({ key, status, reason }) => [key, status, reason])).toEqual([
    ['bad', 'failed', null],
    ['told', 'skipped', 'dependency_failed'],
    ['asks', 'completed', null],
  ]);
});

test('C2: dependency_failed reaches grandchildren, unrelated branches go on', async () => {
  const run = await platform.run({
    name: 'on',
    onFailure: 'continue',
    tasks: {
      bad: { uses: 'handler/fail' },
      child: note('child', { needs: 'bad' }),
      grandchild: note('grandchild', { needs: 'child' }),
      cleanup: note('cleanup', { needs: 'grandchild', trigger: 'all-done' }),
      other: note('other'),
      more: note('more', { needs: 'other' }),
    },
  });
  expect(run).toMatchObject({ status: 'failed', error: { code: 'run_failed' } });
  expect(run.tasks.map(({ key, status, reason }) => [key, status, reason])).toEqual([
    ['bad', 'failed', null],
    ['child', 'skipped', 'dependency_failed'],
    ['grandchild', 'skipped', 'dependency_failed'],
    ['cleanup', 'completed', null],
    ['other', 'completed', null],
    ['more', 'completed', null],
  ]);
});

test('retries: attempts are counted, delays kept, the error of each told', async () => {
  const retry = { maxAttempts: 3, initialDelay: '60ms', factor: 3 };
  const run = await platform.run({
    name: 'retry',
    onFailure: 'continue',
    tasks: {
      late: { uses: 'handler/fail', with: { times: 2 }, retry },
      never: { uses: 'handler/fail', retry },
      ignored: { uses: 'handler/fail', retry: { ...retry, ignore: ['task_failed'] } },
    },
  });
  expect(run.tasks.map(({ key, status, attempts }) => [key, status, attempts])).toEqual([
    ['late', 'completed', 3],
    ['never', 'failed', 3],
    ['ignored', 'failed', 1],
  ]);
  const events = await platform.events(run.runId);
  expect(faultsOfHistory(run, events)).toEqual([]);
  const late = events.filter(({ taskKey }) => taskKey === 'late');
  const delays = late.filter(({ type }) => type === 'task.retrying').map(({ data }) => data['delay']);
  expect(delays).toEqual([60, 180]);
  const starts = late.filter(({ type }) => type === 'task.started').map(({ at }) => Date.parse(at));
  expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(60);
  expect((starts[2] ?? 0) - (starts[1] ?? 0)).toBeGreaterThanOrEqual(180);
});

test('a retry in the middle of a fused chain goes on where it was', async () => {
  const run = await platform.run({
    name: 'chain',
    tasks: {
      a: note('a'),
      b: { uses: 'handler/fail', with: { times: 1 }, needs: 'a', retry: { maxAttempts: 2, initialDelay: '10ms' } },
      c: note('c', { needs: 'b' }),
      d: note('d', { needs: 'c' }),
    },
  });
  expect(run.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
    ['completed', 1],
    ['completed', 2],
    ['completed', 1],
    ['completed', 1],
  ]);
  expect(readLedger(platform.ledger).filter((entry) => entry.run === run.runId)).toHaveLength(3);
});

test('priority holds over all runs: higher first, equal ones in turn', async () => {
  const { task, release } = hold('priority');
  const holding = await platform.submit({ name: 'holding', tasks: { h: task } });
  await started(holding, 'h');
  const one = (name: string) => ({ name, tasks: { t: note(name) } });
  const ids = [
    await platform.submit(one('low'), { priority: -10 }),
    await platform.submit(one('first')),
    await platform.submit(one('second')),
    await platform.submit(one('high'), { priority: 1_000 }),
    await platform.submit(one('higher'), { priority: 20 }),
  ];
  for (const id of ids) {
    await eventually('queued', async () =>
      (await platform.read(id)).tasks[0]?.status === 'queued' ? true : undefined,
    );
  }
  release();
  for (const id of ids) await platform.wait(id);
  const order = readLedger(platform.ledger).filter(({ run }) => ids.includes(run));
  expect(order.map(({ task: name }) => name)).toEqual(['high', 'higher', 'first', 'second', 'low']);
  await platform.wait(holding);
});

test('the priority of a task counts on top of that of its run, and what follows it has its own', async () => {
  const { task, release } = hold('task-priority');
  const holding = await platform.submit({ name: 'holding', tasks: { h: task } });
  await started(holding, 'h');
  const ids = [
    await platform.submit({ name: 'plain', tasks: { t: note('plain') } }, { priority: 5 }),
    await platform.submit({
      name: 'urgent',
      tasks: { t: note('urgent', { priority: 10 }), u: note('not so', { needs: 't', priority: -3 }) },
    }),
  ];
  for (const id of ids) {
    await eventually('queued', async () =>
      (await platform.read(id)).tasks[0]?.status === 'queued' ? true : undefined,
    );
  }
  release();
  for (const id of ids) await platform.wait(id);
  const order = readLedger(platform.ledger).filter(({ run }) => ids.includes(run));
  expect(order.map(({ task: name }) => name)).toEqual(['urgent', 'plain', 'not so']);
  await platform.wait(holding);
});

test('a run that has not ended by its deadline fails, whether it was begun or not', async () => {
  const { task } = hold('deadline');
  const late = await platform.submit({ name: 'late', tasks: { h: task } }, { deadline: '300ms' });
  const never = await platform.submit(
    { name: 'never', tasks: { t: note('never') } },
    { delay: '1h', deadline: new Date(Date.now() + 300).toISOString() },
  );
  for (const id of [late, never]) {
    expect(await platform.wait(id)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } });
  }
  const intime = await platform.run({ name: 'in-time', tasks: { t: note('in time') } }, { deadline: '1h' });
  expect(intime.status).toBe('completed');
});

test('a long chain gives others their turn between slices', async () => {
  const { task, release } = hold('slices');
  const links = Array.from({ length: 240 }, (_, index) => [
    `t${index}`,
    {
      ...(index === 0 ? task : { uses: 'handler/hold', with: task.with }),
      ...(index === 0 ? {} : { needs: `t${index - 1}` }),
    },
  ]);
  const chain = await platform.submit({ name: 'chain', tasks: Object.fromEntries(links) });
  await started(chain, 't0');
  const short = { name: 'short', tasks: { s: { uses: 'handler/hold', with: task.with } } };
  const first = await platform.submit(short);
  const second = await platform.submit(short);
  for (const id of [first, second])
    await eventually('queued', async () =>
      (await platform.read(id)).tasks[0]?.status === 'queued' ? true : undefined,
    );
  release();
  const ends: string[] = [];
  await Promise.all([chain, first, second].map((id) => platform.wait(id).then(() => ends.push(id))));
  const events = await platform.events(chain);
  const chainEnd = Date.parse(events.at(-1)?.at ?? '');
  for (const id of [first, second]) {
    const run = await platform.read(id);
    expect(Date.parse(run.finishedAt ?? '')).toBeLessThan(chainEnd);
  }
});

test('a delayed run starts when its time has come', async () => {
  const run = await platform.run({ name: 'later', tasks: { a: note('a') } }, { delay: '600ms' });
  const waited = Date.parse(run.startedAt ?? '') - Date.parse(run.createdAt);
  expect(waited).toBeGreaterThanOrEqual(590);
  expect(waited).toBeLessThan(3_000);
});

test('a pause in the middle of a fused chain holds it up, and resume goes on', async () => {
  const { task, release } = hold('pause');
  const document = { name: 'pausing', tasks: { a: task, b: note('b', { needs: 'a' }), c: note('c', { needs: 'b' }) } };
  const id = await platform.submit(document);
  await started(id, 'a');
  await requestControl(platform.engine, id, 'pause');
  await eventually('paused', async () => ((await platform.read(id)).status === 'paused' ? true : undefined));
  release();
  await eventually('a is done', async () =>
    (await platform.read(id)).tasks[0]?.status === 'completed' ? true : undefined,
  );
  expect((await platform.read(id)).tasks.map(({ status }) => status)).not.toContain('running');
  await requestControl(platform.engine, id, 'resume');
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  expect(faultsOfHistory(run, await platform.events(id))).toEqual([]);
});

test('a diamond that is paused while its first task runs is whole after resume', async () => {
  const { task, release } = hold('pause-diamond');
  const id = await platform.submit({
    name: 'pausing',
    tasks: { a: task, b: note('b', { needs: 'a' }), c: note('c', { needs: 'a' }), d: note('d', { needs: ['b', 'c'] }) },
  });
  await started(id, 'a');
  await requestControl(platform.engine, id, 'pause');
  await eventually('paused', async () => ((await platform.read(id)).status === 'paused' ? true : undefined));
  release();
  await eventually('a is done', async () =>
    (await platform.read(id)).tasks[0]?.status === 'completed' ? true : undefined,
  );
  await requestControl(platform.engine, id, 'resume');
  expect((await platform.wait(id)).status).toBe('completed');
});

test('a pause that comes with the submission is not lost', async () => {
  const id = await platform.submit({ name: 'early', tasks: { a: note('a') } }, { delay: '300ms' });
  await requestControl(platform.engine, id, 'pause');
  await eventually('paused', async () => ((await platform.read(id)).status === 'paused' ? true : undefined));
  await requestControl(platform.engine, id, 'resume');
  expect((await platform.wait(id)).status).toBe('completed');
});

test('a delayed run that is paused and goes on before its time waits for its time', async () => {
  const delayMs = 3_000;
  const submitted = Date.now();
  const id = await platform.submit({ name: 'later', tasks: { a: note('a') } }, { delay: `${delayMs}ms` });
  await requestControl(platform.engine, id, 'pause');
  await eventually('paused', async () => ((await platform.read(id)).status === 'paused' ? true : undefined));
  await requestControl(platform.engine, id, 'resume');
  await eventually(
    'both are dealt with',
    async () => {
      const rows = await platform.engine.db.query('select kind from outbox where run_id = $1', [id]);
      return rows.every(({ kind }) => kind === 'run') ? true : undefined;
    },
    delayMs / 2,
  );
  expect((await platform.wait(id)).status).toBe('completed');
  expect(readLedger(platform.ledger).find(({ run }) => run === id)?.at).toBeGreaterThanOrEqual(submitted + delayMs);
});

test('retry of a failed run: what completed never runs again', async () => {
  const { task, release } = hold('rerun');
  const id = await platform.submit({
    name: 'rerun',
    tasks: {
      a: note('a'),
      b: { uses: 'handler/fail', with: { times: 1 }, needs: 'a' },
      c: note('c', { needs: 'b' }),
      d: { ...task, needs: 'c' },
    },
  });
  expect((await platform.wait(id)).status).toBe('failed');
  await requestControl(platform.engine, id, 'retry');
  release();
  const run = await platform.wait(id);
  expect(run.status).toBe('completed');
  expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 2, 1, 1]);
  const noted = readLedger(platform.ledger).filter((entry) => entry.run === id);
  expect(noted.map((entry) => entry.task)).toEqual(['a', 'c']);
});

test('a worker that stops lets its attempts end, and takes no more', async () => {
  const other = await TestPlatform.open({ LATTICE_CONCURRENCY: '1' });
  try {
    await other.scheduler();
    const worker = await other.worker();
    const slow = (name: string) => ({ name, tasks: { s: { uses: 'handler/sleep', with: { ms: 500 } } } });
    const ids = [await other.submit(slow('one')), await other.submit(slow('two'))];
    await eventually('one runs', async () =>
      (await other.read(ids[0] ?? '')).tasks[0]?.status === 'running' ? true : undefined,
    );
    await worker.stop();
    const first = await other.wait(ids[0] ?? '');
    expect(first.tasks[0]).toMatchObject({ status: 'completed', attempts: 1 });
    expect((await other.read(ids[1] ?? '')).tasks[0]?.status).toBe('queued');
    await other.worker();
    const second = await other.wait(ids[1] ?? '');
    expect(second.tasks[0]).toMatchObject({ status: 'completed', attempts: 1 });
    await other.settled();
  } finally {
    await other.close();
  }
  expect(existsSync(other.folder)).toBe(false);
});

test('a task is handed on by any number of workers that stop: it counts neither as a try nor as a loss', async () => {
  const other = await TestPlatform.open({ LATTICE_CONCURRENCY: '1' });
  try {
    await other.scheduler();
    const file = join(other.folder, 'goes-on');
    const id = await other.submit({ name: 'long', tasks: { h: { uses: 'handler/hold', with: { file } } } });
    const stops = 4;
    for (let n = 1; n <= stops; n += 1) {
      const workerId = `worker-${n}`;
      const worker = await other.worker({ workerId });
      await eventually(`attempt ${n} runs`, async () =>
        (await other.read(id)).tasks[0]?.workerId === workerId ? true : undefined,
      );
      await orderWorker(other.engine.queue, workerId, { order: 'drain', exit: false, timeoutMs: 1 });
      await eventually(`attempt ${n} was given back`, async () =>
        (await other.events(id)).filter(({ type }) => type === 'task.retrying').length === n ? true : undefined,
      );
      await worker.stop();
    }
    writeFileSync(file, '');
    await other.worker();
    const run = await other.wait(id);
    expect(run.tasks[0]).toMatchObject({ status: 'completed', attempts: stops + 1 });
    const events = await other.events(id);
    expect(faultsOfHistory(run, events)).toEqual([]);
    const reasons = events.filter(({ type }) => type === 'task.retrying').map(({ data }) => data['error']);
    expect(reasons).toEqual(Array(stops).fill(expect.objectContaining({ code: 'worker_stopped' })));
  } finally {
    await other.close();
  }
});
