import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLockFolder } from './lock-folder';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lattice-locks-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

test('a lock is seen by others, ends with its holder, and a child that inherits it keeps it up', async () => {
  const folder = openLockFolder(join(path, 'locks'));
  const lock = await folder.create('a', 'text');
  expect([await folder.names(), await folder.read('a'), await folder.isHeld('a')]).toEqual([['a'], 'text', true]);
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lock.fd ?? 0] });
  await lock.close();
  expect(await folder.isHeld('a')).toBe(true);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(await folder.isHeld('a')).toBe(false);
  await folder.remove('a');
  await folder.remove('a');
  expect([await folder.names(), await folder.read('a'), await folder.isHeld('a')]).toEqual([[], undefined, false]);
});

test('work that excludes others comes one after the other, and hands its text on', async () => {
  const folders = [openLockFolder(path), openLockFolder(path), openLockFolder(path)];
  let inside = 0;
  await Promise.all(
    folders.map((folder) =>
      folder.exclusively('host', async (text) => {
        expect((inside += 1)).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        inside -= 1;
        return `${text}x`;
      }),
    ),
  );
  expect(await folders[0]?.read('host')).toBe('xxx');
});

test('a file that could not be locked does not stay', async () => {
  const folder = openLockFolder(join(path, 'locks'));
  const { PATH } = process.env;
  process.env['PATH'] = path;
  try {
    await expect(folder.create('a', 'text')).rejects.toThrow('flock');
  } finally {
    process.env['PATH'] = PATH;
  }
  expect(await folder.names()).toEqual([]);
  const lock = await folder.create('a', 'text');
  await expect(folder.create('a', 'text')).rejects.toThrow('EEXIST');
  expect(await folder.names()).toEqual(['a']);
  await lock.close();
});
