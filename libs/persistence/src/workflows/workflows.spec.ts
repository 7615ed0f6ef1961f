import type { WorkflowDocument } from '@lattice/contracts';
import { testDatabase, type TestDatabase } from '../../../../test/support/postgres';
import { getWorkflow, listWorkflows, saveWorkflow, type VersionConditions } from './workflows';

let test_: TestDatabase;
beforeAll(async () => {
  test_ = await testDatabase();
});
afterAll(() => test_.drop());

const documentOf = (name: string, description: string): WorkflowDocument => ({
  name,
  description,
  tasks: { a: { uses: 'code' } },
});

test('saving the same document twice gives the same version; a changed one the next; going back another', async () => {
  const save = (sha: string) => saveWorkflow(test_.db, { name: 'w', sha: `w-${sha}`, document: documentOf('w', sha) });
  expect(await save('1')).toMatchObject({ version: 1, created: true });
  expect(await save('1')).toMatchObject({ version: 1, created: false });
  expect(await save('2')).toMatchObject({ version: 2, created: true });
  expect(await save('1')).toMatchObject({ version: 3, created: true });
  expect(await getWorkflow(test_.db, 'w')).toMatchObject({
    version: 3,
    documentSha: 'w-1',
    document: { description: '1' },
  });
  expect(await getWorkflow(test_.db, 'w', 2)).toMatchObject({ version: 2, document: { description: '2' } });
  expect(await getWorkflow(test_.db, 'w', 9)).toBeUndefined();
  expect(await getWorkflow(test_.db, 'none')).toBeUndefined();
  expect(await getWorkflow(test_.db, '\0')).toBeUndefined();
});

test('saves at once each get a version of their own, equal ones the same', async () => {
  const saved = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      saveWorkflow(test_.db, { name: 'race', sha: `r-${index % 4}`, document: documentOf('race', `${index % 4}`) }),
    ),
  );
  const created = saved.flatMap((each) => (!each.refused && each.created ? [each.version] : []));
  expect(new Set(created).size).toBe(created.length);
  expect(Math.max(...created)).toBe(created.length);
});

test('a save goes through only where the newest version is what was asked for', async () => {
  const save = (text: string, conditions: VersionConditions) =>
    saveWorkflow(test_.db, { name: 'if', sha: `if-${text}`, document: documentOf('if', text) }, conditions);
  const none = { refused: true, newest: null };
  expect(await save('a', { match: ['*'] })).toEqual(none);
  expect(await save('a', { match: ['1-if-a'] })).toEqual(none);
  expect(await getWorkflow(test_.db, 'if')).toBeUndefined();
  expect(await save('a', { noneMatch: ['*'] })).toMatchObject({ version: 1, created: true });
  expect(await save('b', { noneMatch: ['*'] })).toEqual({ refused: true, newest: 1 });
  expect(await save('a', { noneMatch: ['*'] })).toEqual({ refused: true, newest: 1 });
  expect(await save('b', { match: ['9-x', '1-if-a'] })).toMatchObject({ version: 2, created: true });
  expect(await save('c', { match: ['1-if-a'] })).toEqual({ refused: true, newest: 2 });
  expect(await save('c', { match: [] })).toEqual({ refused: true, newest: 2 });
  // The answer of the first was lost: it is so already.
  expect(await save('b', { match: ['1-if-a'] })).toMatchObject({ version: 2, created: false });
  expect(await save('c', { match: ['*'], noneMatch: ['1-if-a'] })).toMatchObject({ version: 3, created: true });
  const stored = await test_.db.query({ text: "select sha from documents where name = 'if' order by sha" }, []);
  expect(stored).toEqual([{ sha: 'if-a' }, { sha: 'if-b' }, { sha: 'if-c' }]);
});

test('of saves at once that each build on the same version one goes through', async () => {
  const save = (text: string, match: readonly string[]) =>
    saveWorkflow(test_.db, { name: 'edits', sha: `e-${text}`, document: documentOf('edits', text) }, { match });
  await saveWorkflow(test_.db, { name: 'edits', sha: 'e-0', document: documentOf('edits', '0') });
  const saved = await Promise.all(Array.from({ length: 8 }, (_, index) => save(`${index + 1}`, ['1-e-0'])));
  expect(saved.filter(({ refused }) => !refused)).toEqual([expect.objectContaining({ version: 2, created: true })]);
});

test('workflows are listed by name, in their newest version and in pages', async () => {
  for (const name of ['z1', 'z2', 'z3']) {
    await saveWorkflow(test_.db, { name, sha: `${name}-a`, document: documentOf(name, 'a') });
    await saveWorkflow(test_.db, { name, sha: `${name}-b`, document: documentOf(name, 'b') });
  }
  const first = await listWorkflows(test_.db, { after: 'z', limit: 2 });
  expect(first).toMatchObject({
    workflows: [
      { name: 'z1', version: 2 },
      { name: 'z2', version: 2 },
    ],
    next: 'z2',
  });
  expect(await listWorkflows(test_.db, { after: 'z2', limit: 2 })).toMatchObject({
    workflows: [{ name: 'z3' }],
    next: null,
  });
});
