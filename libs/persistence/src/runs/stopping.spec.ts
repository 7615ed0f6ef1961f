import { randomUUID } from 'node:crypto';
import { taskError } from '@lattice/contracts';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { insertRun } from './insert-run';
import { reopenRun } from './run-state';
import { findStop, markStopping } from './stopping';

let test_: TestDatabase;
beforeEach(async () => {
  test_ = await testDatabase();
});
afterEach(() => test_.drop());

async function newRun(parent?: string): Promise<string> {
  const runId = randomUUID();
  await insertRun(test_.db, {
    runId,
    workflow: 'w',
    version: null,
    documentSha: 'sha',
    document: { name: 'w', tasks: { a: { uses: 'code' } } },
    priority: 0,
    onFailure: 'cancel',
    tags: [],
    inputs: {},
    delayMs: 0,
    tasks: [{ key: 'a', position: 0 }],
  });
  if (parent !== undefined)
    await test_.db.query('update runs set parent_run_id = $2, parent_task = $3 where id = $1', [runId, parent, 'a']);
  return runId;
}

const end = (runId: string, status: string) =>
  test_.db.query('update runs set status = $2 where id = $1', [runId, status]);

test('the first wish stands until the run is opened again', async () => {
  const runId = await newRun();
  expect(await findStop(test_.db, runId)).toBeUndefined();
  const error = taskError('run_timeout', 'too late\0');
  expect(await markStopping(test_.db, runId, { reason: 'run_timeout', error })).toBe(true);
  expect(await markStopping(test_.db, runId, { reason: 'enough' })).toBe(true);
  expect(await findStop(test_.db, runId)).toEqual({ why: 'asked', wish: { reason: 'run_timeout', error } });
  await end(runId, 'failed');
  expect(await markStopping(test_.db, runId, { reason: 'enough' })).toBe(false);
  expect(await reopenRun(test_.db, { runId, epoch: 1 })).toBe(2);
  expect(await findStop(test_.db, runId)).toBeUndefined();
});

test('nobody waits for one who writes to the run', async () => {
  const runId = await newRun();
  const other = await test_.open('historian');
  await other.transaction(async (session) => {
    await session.query('update runs set reason = null where id = $1', [runId]);
    expect(await markStopping(test_.db, runId, { reason: 'enough' })).toBe(false);
  });
  expect(await markStopping(test_.db, runId, { reason: 'enough' })).toBe(true);
});

test('a run is stopped with any above it that goes on, and not by one that has ended', async () => {
  const top = await newRun();
  const middle = await newRun(top);
  const runId = await newRun(middle);
  await markStopping(test_.db, top, { reason: 'enough' });
  expect(await findStop(test_.db, runId)).toEqual({ why: 'above', runId: top });
  await end(top, 'cancelled');
  expect(await findStop(test_.db, runId)).toBeUndefined();
});
