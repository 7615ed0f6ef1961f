import { randomUUID } from 'node:crypto';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { findKeyByHash, insertKey, listKeys, revokeKey, touchKey } from './api-keys';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await testDatabase();
});
afterAll(() => test_.drop());

test('a key is found by its hash until it is revoked', async () => {
  const key = { id: randomUUID(), name: 'admin', hash: 'a'.repeat(64), scopes: ['admin'] };
  const stored = await insertKey(test_.db, key);
  expect(stored).toMatchObject({ id: key.id, name: 'admin', scopes: ['admin'], lastUsedAt: null, revokedAt: null });
  expect(await findKeyByHash(test_.db, key.hash)).toEqual(stored);
  expect(await findKeyByHash(test_.db, 'b'.repeat(64))).toBeUndefined();
  await expect(insertKey(test_.db, { ...key, id: randomUUID() })).rejects.toThrow('api_keys_hash_key');

  await touchKey(test_.db, key.id);
  const used = (await listKeys(test_.db))[0]?.lastUsedAt;
  expect(used).toEqual(expect.any(String));
  await touchKey(test_.db, key.id);
  expect((await listKeys(test_.db))[0]?.lastUsedAt).toBe(used);

  expect(await revokeKey(test_.db, key.id)).toBe(true);
  expect(await revokeKey(test_.db, key.id)).toBe(false);
  expect(await revokeKey(test_.db, randomUUID())).toBe(false);
  expect(await findKeyByHash(test_.db, key.hash)).toBeUndefined();
  expect(await listKeys(test_.db)).toMatchObject([{ id: key.id, revokedAt: expect.any(String) }]);
});
