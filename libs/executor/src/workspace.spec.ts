import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { code, errorOf, newFolder } from '../test/support';
import { createExecutors } from './executors';
import { checkWorkRoot } from './workspace';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder that nobody, root included, can make. */
const impossible = (): string => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  return path.join(file, 'tmp');
};

test('a folder for the files of tasks that can be made is made, and left empty', () => {
  const root = path.join(folder, 'a', 'b');
  checkWorkRoot(root);
  checkWorkRoot(root);
  expect(readdirSync(root)).toEqual([]);
});

test('one that can not be made is refused with what to do', () => {
  expect(() => checkWorkRoot(impossible())).toThrow(
    expect.objectContaining({ code: 'sandbox_failed', message: expect.stringContaining('set TMPDIR to') as string }),
  );
});

test('a task says the same when the folder goes away later', async () => {
  const executors = createExecutors({ workerId: 'workspace', workRoot: impossible() });
  const task = executors.forTask('code').submit(code('javascript', 'export default () => 1'));
  const error = errorOf(await task.result());
  await executors.close();
  expect([error.code, error.message]).toEqual(['sandbox_failed', expect.stringContaining('set TMPDIR to')]);
});
