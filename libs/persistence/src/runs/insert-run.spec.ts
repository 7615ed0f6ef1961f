import { randomUUID } from 'node:crypto';
import type { WorkflowDocument } from '@lattice/contracts';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { openHistorian } from '../history/historian';
import { nextDue } from '../outbox/outbox';
import { getDocument } from '../workflows/documents';
import { getRun } from './get-run';
import { insertRun, purgeIdempotencyKeys, type NewRun } from './insert-run';
import { listRuns } from './list-runs';
import { getRunState, listActiveRuns, raiseRunEpoch } from './run-state';
import { taskResults } from './task-results';

let test_: TestDatabase;
beforeEach(async () => {
  test_ = await testDatabase();
});
afterEach(() => test_.drop());

const document: WorkflowDocument = { name: 'w', tasks: { a: { uses: 'code', with: { source: '\0' } } } };
/** UUIDv7 of one moment after the other. */
let clock = 0;
function nextId(): string {
  clock += 1;
  return `01890a5d-${clock.toString(16).padStart(4, '0')}-7000-8000-000000000000`;
}
function newRun(rest: Partial<NewRun> = {}): NewRun {
  return {
    runId: nextId(),
    workflow: 'w',
    version: 1,
    documentSha: 'sha',
    document,
    priority: 5,
    onFailure: 'continue',
    tags: ['x', 'a "quoted", {one}'],
    inputs: { who: 'w\0' },
    tasks: [
      { key: 'a', position: 0 },
      { key: 'b', position: 1 },
    ],
    ...rest,
  };
}
const count = async (table: string): Promise<unknown> =>
  (await test_.db.query(`select count(*)::int as n from ${table}`))[0]?.['n'];

test('a run is stored with its tasks, document and outbox row', async () => {
  const run = newRun();
  expect(await insertRun(test_.db, run)).toEqual({ status: 'created', runId: run.runId });
  expect(await getRun(test_.db, run.runId)).toMatchObject({
    runId: run.runId,
    workflow: 'w',
    version: 1,
    status: 'pending',
    priority: 5,
    tags: run.tags,
    inputs: run.inputs,
    outputs: null,
    error: null,
    startedAt: null,
    tasks: [
      { key: 'a', status: 'pending', attempts: 0, output: null, error: null, workerId: null },
      { key: 'b', status: 'pending' },
    ],
  });
  expect(await getDocument(test_.db, 'sha')).toEqual(document);
  expect(await getDocument(await test_.open(), 'sha')).toEqual(document);
  expect(await nextDue(test_.db)).toBe(0);
  expect(await getRunState(test_.db, run.runId)).toEqual({
    runId: run.runId,
    status: 'pending',
    epoch: 1,
    documentSha: 'sha',
    workflow: 'w',
  });
  expect(await taskResults(test_.db, run.runId)).toMatchObject([{ key: 'a', position: 0 }, { key: 'b' }]);
});

test('unknown ids and texts that are none find nothing', async () => {
  expect(await getRun(test_.db, nextId())).toBeUndefined();
  expect(await getRun(test_.db, 'x\0')).toBeUndefined();
  expect(await getRunState(test_.db, nextId())).toBeUndefined();
  expect(await listRuns(test_.db, { tag: '\0', limit: 1 })).toEqual({ runs: [], next: null });
});

test('a run without tasks has none', async () => {
  const run = newRun({ tasks: [] });
  await insertRun(test_.db, run);
  expect((await getRun(test_.db, run.runId))?.tasks).toEqual([]);
});

test('the same run id again is a repeat', async () => {
  const run = newRun();
  await insertRun(test_.db, run);
  expect(await insertRun(test_.db, run)).toEqual({ status: 'repeated', runId: run.runId });
  expect(await count('outbox')).toBe(1);
});

test('of equal idempotency keys at once one creates a run', async () => {
  const apiKeyId = randomUUID();
  const idempotency = { key: 'k', apiKeyId, bodySha: 'body' };
  const others = await test_.open();
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, index) => insertRun(index % 2 === 0 ? test_.db : others, newRun({ idempotency }))),
  );
  const idsOf = (status: string) =>
    outcomes.flatMap((outcome) => (outcome.status !== 'conflict' && outcome.status === status ? [outcome.runId] : []));
  expect(idsOf('created')).toHaveLength(1);
  expect(idsOf('repeated')).toHaveLength(11);
  expect(new Set(idsOf('repeated'))).toEqual(new Set(idsOf('created')));
  expect([await count('runs'), await count('outbox'), await count('tasks')]).toEqual([1, 1, 2]);
  expect(await insertRun(test_.db, newRun({ idempotency: { ...idempotency, bodySha: 'other' } }))).toEqual({
    status: 'conflict',
  });
  const elsewhere = await insertRun(test_.db, newRun({ idempotency: { ...idempotency, apiKeyId: randomUUID() } }));
  expect(elsewhere.status).toBe('created');
});

test('an idempotency key is free again after 24 hours', async () => {
  const idempotency = { key: 'k', apiKeyId: randomUUID(), bodySha: 'body' };
  await insertRun(test_.db, newRun({ idempotency }));
  await test_.db.query("update idempotency_keys set created_at = created_at - interval '25 hours'");
  const again = newRun({ idempotency: { ...idempotency, bodySha: 'other' } });
  expect(await insertRun(test_.db, again)).toEqual({ status: 'created', runId: again.runId });
  await test_.db.query("update idempotency_keys set created_at = created_at - interval '25 hours'");
  await purgeIdempotencyKeys(test_.db);
  expect(await count('idempotency_keys')).toBe(0);
});

test('runs are listed newest first, in pages and by workflow, status and tag', async () => {
  const runs = [
    newRun({ tags: [] }),
    newRun({ workflow: 'other', version: null }),
    newRun({ tags: ['y'] }),
    newRun({ tags: ['y', 'x'] }),
  ];
  for (const run of runs) await insertRun(test_.db, run);
  const [a, b, c, d] = runs.map((run) => run.runId);
  const historian = openHistorian(test_.db);
  await historian.tryAcquire();
  const failed = { code: 'task_failed', message: 'no', retryable: false };
  await historian.write([
    {
      streamId: '1-1',
      type: 'run.failed',
      runId: c ?? '',
      epoch: 1,
      taskKey: null,
      attempt: null,
      at: 1,
      data: JSON.stringify({ error: failed }),
    },
  ]);
  await historian.close();
  const ids = async (filter: Parameters<typeof listRuns>[1]) =>
    (await listRuns(test_.db, filter)).runs.map((run) => run.runId);
  expect(await ids({ limit: 10 })).toEqual([d, c, b, a]);
  const first = await listRuns(test_.db, { limit: 3 });
  expect([first.runs.length, first.next]).toEqual([3, b]);
  expect(await listRuns(test_.db, { limit: 3, before: b })).toMatchObject({ runs: [{ runId: a }], next: null });
  expect(await ids({ limit: 10, workflow: 'other' })).toEqual([b]);
  expect(await ids({ limit: 10, status: ['failed'] })).toEqual([c]);
  expect(await ids({ limit: 10, status: ['pending', 'paused'] })).toEqual([d, b, a]);
  expect(await ids({ limit: 10, tag: 'y' })).toEqual([d, c]);
  expect((await listActiveRuns(test_.db, { limit: 10 })).map((run) => run.runId)).toEqual([a, b, d]);
  expect(await listActiveRuns(test_.db, { after: a, limit: 1 })).toMatchObject([{ runId: b, inputs: { who: 'w\0' } }]);
  expect(await raiseRunEpoch(test_.db, a ?? '')).toBe(2);
  expect(await raiseRunEpoch(test_.db, c ?? '')).toBeUndefined();
});
