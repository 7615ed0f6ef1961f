import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeHome, type HomePaths } from './home';
import { publishUrl, readLock, releaseLock, takeLock } from './launcher-lock';

let paths: HomePaths;

beforeEach(() => {
  paths = makeHome(mkdtempSync(join(tmpdir(), 'lattice-lock-')));
});
afterEach(() => rmSync(paths.home, { recursive: true, force: true }));

describe('the lock of a home', () => {
  it('has one holder, who is named to others', () => {
    const lock = takeLock(paths, null);
    publishUrl(paths, lock, 'http://127.0.0.1:3000');
    expect(() => takeLock(paths, null)).toThrow('http://127.0.0.1:3000');
    releaseLock(paths, lock);
    expect(readdirSync(paths.run)).toEqual([]);
  });

  it.each([
    ['of a dead process', JSON.stringify({ id: 'a', pid: 4_194_305, started: '1@x', url: null })],
    [
      'of an earlier process with the same pid',
      JSON.stringify({ id: 'a', pid: process.pid, started: '1@x', url: null }),
    ],
    ['that was cut short', '{"pid": 1'],
  ])('is taken over when it is one %s', (_, text) => {
    writeFileSync(paths.lock, text);
    takeLock(paths, null);
    expect(readLock(paths)?.pid).toBe(process.pid);
    expect(readdirSync(paths.run)).toEqual(['launcher.json']);
  });

  it('is not released by one who no longer holds it', () => {
    const lock = takeLock(paths, null);
    releaseLock(paths, { ...lock, id: 'other' });
    expect(readLock(paths)).toEqual(lock);
  });
});
