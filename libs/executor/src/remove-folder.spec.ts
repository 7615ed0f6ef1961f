import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newFolder } from '../test/support';
import { removeFolder } from './remove-folder';

let parent: string;

beforeEach(() => {
  parent = newFolder();
});
afterEach(() => rmSync(parent, { recursive: true }));

/** Folders in folders, from the last one outwards: no path could name that. */
function deepFolder(levels: number, inmost: (folder: string) => void): string {
  const [inner, outer] = [path.join(parent, 'inner'), path.join(parent, 'outer')];
  mkdirSync(inner);
  inmost(inner);
  for (let level = 0; level < levels; level++) {
    mkdirSync(outer);
    renameSync(inner, path.join(outer, 'd'.repeat(200)));
    renameSync(outer, inner);
  }
  return inner;
}

test('a folder goes however deep what is in it, and nothing that a link in it leads to', async () => {
  const outside = path.join(parent, 'outside');
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'kept'), 'kept');
  const folder = deepFolder(500, (inmost) => {
    writeFileSync(path.join(inmost, 'file'), 'x');
    symlinkSync(outside, path.join(inmost, 'link'));
  });
  expect(await removeFolder(folder)).toBe(true);
  expect(existsSync(folder)).toBe(false);
  expect(readFileSync(path.join(outside, 'kept'), 'utf8')).toBe('kept');
});

test('a folder goes whose names are no text', async () => {
  const folder = path.join(parent, 'names');
  mkdirSync(folder);
  const inner = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]);
  mkdirSync(inner, { mode: 0o000 });
  expect(await removeFolder(folder)).toBe(true);
});
