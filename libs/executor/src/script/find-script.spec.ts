import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { newFolder } from '../../test/support';
import { findScript } from './find-script';

const around = realpathSync(newFolder());
const root = path.join(around, 'scripts');
afterAll(() => rmSync(around, { recursive: true }));

function write(name: string, text: string, mode = 0o755): void {
  const file = path.join(around, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

beforeAll(() => {
  write('secret.sh', '#!/bin/sh\n');
  write('scripts-of-others/x.sh', '#!/bin/sh\n');
  write('scripts/a/deep/x.sh', '#!/bin/sh -e\necho x\n');
  write('scripts/a/y.py', '#! /usr/bin/env python3\n');
  write('scripts/program', '\x7fELF and more');
  write('scripts/hidden-program', '\x7fELF', 0o111);
  write('scripts/forgotten.sh', '#!/bin/sh\n', 0o644);
  write('scripts/plain.sh', 'echo no line\n');
  write('scripts/empty.sh', '');
  write('scripts/windows.sh', '#!/bin/sh\r\necho x\r\n');
  symlinkSync('a/deep/x.sh', path.join(root, 'inside'));
  symlinkSync(path.join(root, 'a'), path.join(root, 'folder'));
  symlinkSync('../secret.sh', path.join(root, 'outside'));
  symlinkSync(around, path.join(root, 'up'));
  symlinkSync('../scripts-of-others', path.join(root, 'others'));
  symlinkSync('circle', path.join(root, 'circle'));
  symlinkSync('nothing', path.join(root, 'dangling'));
});

const codeOf = (name: string, folder = root): Promise<unknown> =>
  findScript(folder, name).then(
    (found) => found,
    (error: { code: string }) => error.code,
  );

it.each([
  ['a/deep/x.sh', { file: 'a/deep/x.sh', interpreter: '/bin/sh' }],
  ['a/y.py', { file: 'a/y.py', interpreter: '/usr/bin/env' }],
  ['inside', { file: 'a/deep/x.sh', interpreter: '/bin/sh' }],
  ['folder/y.py', { file: 'a/y.py', interpreter: '/usr/bin/env' }],
  ['up/scripts/a/y.py', { file: 'a/y.py', interpreter: '/usr/bin/env' }],
  ['program', { file: 'program', interpreter: undefined }],
  ['hidden-program', { file: 'hidden-program', interpreter: undefined }],
])('finds %s', async (name, found) => {
  expect(await codeOf(name)).toEqual({ folder: root, ...found });
});

it('finds what is in a folder that is itself a link', async () => {
  const link = path.join(around, 'link');
  symlinkSync('scripts', link);
  expect(await codeOf('a/y.py', link)).toMatchObject({ folder: root, file: 'a/y.py' });
});

it.each([
  ['/etc/passwd', 'script_refused'],
  ['../secret.sh', 'script_refused'],
  ['a/../../secret.sh', 'script_refused'],
  ['outside', 'script_refused'],
  ['up/secret.sh', 'script_refused'],
  ['up', 'script_refused'],
  ['up/scripts', 'script_refused'],
  ['others/x.sh', 'script_refused'],
  ['circle', 'script_refused'],
  ['x'.repeat(300), 'script_refused'],
  ['nothing.sh', 'script_not_found'],
  ['dangling', 'script_not_found'],
  ['a', 'script_not_found'],
  ['a/y.py/z', 'script_not_found'],
  ['forgotten.sh', 'script_not_executable'],
  ['plain.sh', 'script_not_executable'],
  ['empty.sh', 'script_not_executable'],
  ['windows.sh', 'script_not_executable'],
])('does not find %s: %s', async (name, code) => {
  expect(await codeOf(name)).toBe(code);
});

it('says that the folder itself is gone', async () => {
  expect(await codeOf('x.sh', path.join(around, 'nowhere'))).toBe('script_not_found');
});

it('finds nothing outside of the folder, whatever the path', async () => {
  const segment = fc.constantFrom('..', '.', '', 'up', 'a', 'folder', 'others', 'scripts', 'deep', 'secret.sh', 'x.sh');
  const some = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));
  await fc.assert(
    fc.asyncProperty(some, async (name) => {
      const found = await codeOf(name);
      if (typeof found === 'string') expect(found).toMatch(/^script_/);
      else expect(realpathSync(path.join(root, name)).startsWith(`${root}/`)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
