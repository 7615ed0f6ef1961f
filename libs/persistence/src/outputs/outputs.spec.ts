import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { loadOutput, loadOutputs, storeOutput } from './outputs';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await testDatabase();
});
afterAll(() => test_.drop());

test('outputs are kept by attempt and come back as they were', async () => {
  const address = { runId: randomUUID(), epoch: 1, taskKey: 'a', attempt: 1 };
  const text = JSON.stringify({ nul: '\0', half: '\ud800', text: 'ü'.repeat(100_000) });
  await storeOutput(test_.db, address, text);
  await storeOutput(test_.db, address, '"a repeat changes nothing"');
  await storeOutput(test_.db, { ...address, attempt: 2 }, '2');
  expect(await loadOutput(test_.db, address)).toBe(text);
  expect(await loadOutputs(test_.db, [{ ...address, attempt: 2 }, { ...address, epoch: 2 }, address])).toEqual([
    '2',
    undefined,
    text,
  ]);
  expect(await loadOutputs(test_.db, [])).toEqual([]);
});
