import { testDatabase, type TestDatabase } from '../../../test/support/postgres';
import { openDatabase } from './database';
import { isConnectionLoss, isDataRefusal } from './refusals';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await testDatabase();
});
afterAll(() => test_.drop());

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const terminateOthers = (): Promise<void> =>
  test_.administer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${new URL(test_.url).pathname.slice(1)}'`,
  );

test('a transaction commits as a whole or not at all', async () => {
  const insert = "insert into faulty_events (stream_id, fields, error) values ($1, '', '')";
  await test_.db.transaction((session) => session.query(insert, ['1']));
  await expect(
    test_.db.transaction(async (session) => {
      await session.query(insert, ['2']);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await test_.db.query('select stream_id from faulty_events')).toEqual([{ stream_id: '1' }]);
});

test('a lost connection is told from refused data, and the pool recovers', async () => {
  const refused = await failure(test_.db.query('select $1::uuid', ['x']));
  expect([isConnectionLoss(refused), isDataRefusal(refused)]).toEqual([false, true]);

  const inside = await failure(
    test_.db.transaction(async (session) => {
      await terminateOthers();
      await session.query('select 1');
    }),
  );
  expect([isConnectionLoss(inside), isDataRefusal(inside)]).toEqual([true, false]);
  expect(isConnectionLoss(new Error('wrapped', { cause: inside }))).toBe(true);
  await failure(test_.db.query('select 1'));
  expect(await test_.db.query('select 1 as one')).toEqual([{ one: 1 }]);
});

test('a server that is not there is a lost connection; a statement that takes too long is not', async () => {
  const nowhere = new URL(test_.url);
  nowhere.port = '1';
  const absent = await failure(openDatabase({ url: nowhere.toString(), applicationName: 'test' }));
  expect(isConnectionLoss(absent)).toBe(true);

  const hasty = await openDatabase({ url: test_.url, applicationName: 'test', statementTimeoutMs: 50 });
  const slow = await failure(hasty.query('select pg_sleep(10)'));
  expect(slow).toMatchObject({ code: '57014' });
  expect(isConnectionLoss(slow)).toBe(false);
  await hasty.close();
  await hasty.close();
});

test('things that are no errors are no lost connections', () => {
  for (const value of [undefined, null, 'ECONNREFUSED', 5, {}, new Error('ECONNREFUSED')]) {
    expect(isConnectionLoss(value)).toBe(false);
  }
  expect(isConnectionLoss(new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]))).toBe(true);
  expect(isConnectionLoss(Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'open' }))).toBe(false);
});
