import { randomUUID } from 'node:crypto';
import { eventually } from '../../../../test/support/eventually';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import type { Session } from '../database';
import { prepared } from '../statements';
import { forkRun } from '../runs/fork-run';
import { insertRun } from '../runs/insert-run';
import { deleteUnusedDocuments } from './delete-unused-documents';
import { saveWorkflow } from './workflows';

let test_: TestDatabase;
beforeEach(async () => {
  test_ = await testDatabase();
});
afterEach(() => test_.drop());

const document = { name: 'w', tasks: { a: { uses: 'code' } } };

async function storeRun(session: Session, documentSha: string): Promise<string> {
  const runId = randomUUID();
  const what = { workflow: 'w', version: null, documentSha, document, inputs: {}, tasks: [{ key: 'a', position: 0 }] };
  await insertRun(session, { runId, priority: 0, onFailure: 'cancel', tags: [], ...what });
  return runId;
}

async function forget(runId: string): Promise<void> {
  await test_.db.query('delete from runs where id = $1', [runId]);
}

async function shas(): Promise<unknown[]> {
  return (await test_.db.query('select sha from documents order by sha')).map(({ sha }) => sha);
}

async function deleteAll(): Promise<number> {
  let all = 0;
  let next: string | undefined = '';
  while (next !== undefined) {
    const step: Awaited<ReturnType<typeof deleteUnusedDocuments>> = await deleteUnusedDocuments(test_.db, next);
    all += step.deleted;
    next = step.next;
  }
  return all;
}

/** Keeps a transaction open in which something was done. */
async function open(act: (session: Session) => Promise<unknown>): Promise<() => Promise<void>> {
  let commit: () => void = () => undefined;
  const may = new Promise<void>((resolve) => (commit = resolve));
  let isDone = false;
  const ended = test_.db.transaction(async (session) => {
    await act(session);
    isDone = true;
    await may;
  });
  await eventually('it is done', () => isDone);
  return async () => {
    commit();
    await ended;
  };
}

test('documents go that neither a run nor a version of a workflow refers to', async () => {
  const [one, two] = [await storeRun(test_.db, 'of-two'), await storeRun(test_.db, 'of-two')];
  await forget(await storeRun(test_.db, 'of-none'));
  await forget(await storeRun(test_.db, 'saved'));
  await saveWorkflow(test_.db, { name: 'w', sha: 'saved', document });
  await forget(one);
  expect(await deleteAll()).toBe(1);
  expect(await shas()).toEqual(['of-two', 'saved']);
  await forget(two);
  expect(await deleteAll()).toBe(1);
  expect(await shas()).toEqual(['saved']);
});

test('a walk comes to all documents', async () => {
  await test_.db.query(
    `insert into documents (sha, name, document) select 'sha' || n, 'w', '{}' from generate_series(1, 2500) n`,
  );
  const kept = await storeRun(test_.db, 'sha1200');
  expect(await deleteAll()).toBe(2_499);
  expect(await shas()).toEqual(['sha1200']);
  await forget(kept);
});

test('a run or a fork that is being stored with a document that is there already keeps it', async () => {
  await forget(await storeRun(test_.db, 'again'));
  const commit = await open((session) => storeRun(session, 'again'));
  expect(await deleteAll()).toBe(0);
  await commit();
  expect(await deleteAll()).toBe(0);
  expect(await shas()).toEqual(['again']);

  const source = await storeRun(test_.db, 'forked');
  const runId = randomUUID();
  const commitFork = await open(async (session) => {
    const fork = { runId, source: { runId: source, epoch: 1 }, reused: [], inputs: {} };
    expect(await forkRun(session, fork)).toMatchObject({
      status: 'created',
    });
  });
  await forget(source);
  expect(await deleteAll()).toBe(0);
  await commitFork();
  expect(await deleteAll()).toBe(0);
  expect(await shas()).toEqual(['again', 'forked']);
});

test('a run that is stored while its document is being deleted stores it anew', async () => {
  await forget(await storeRun(test_.db, 'again'));
  const commit = await open(async (session) => {
    await session.query(prepared('lock-documents'));
    await session.query(prepared('delete-documents'), [['again']]);
  });
  let isStored = false;
  const stored = storeRun(test_.db, 'again').then(() => (isStored = true));
  await eventually('it waits', async () => {
    const [row] = await test_.db.query(
      `select count(*)::int as n from pg_locks join pg_database on oid = database where not granted and datname = current_database()`,
    );
    return row?.['n'] === 1;
  });
  expect(isStored).toBe(false);
  await commit();
  await stored;
  expect(await shas()).toEqual(['again']);
});
