import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathWithPython } from './python';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lattice-python-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const find = (path: string): Promise<string> =>
  pathWithPython({ home: folder, log: () => undefined, env: { PATH: path, LATTICE_HOME: folder } });

function python(exitCode: number): void {
  const file = join(folder, 'python3');
  writeFileSync(file, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(file, 0o755);
}

it('leaves a PATH as it is that has a Python', async () => {
  python(0);
  expect(await find(folder)).toBe(folder);
});

it('says what to type where there is none, and no apt either', async () => {
  await expect(find(folder)).rejects.toMatchObject({
    code: 'python_missing',
    message: expect.stringContaining('python') as string,
  });
});

it('does not take one that does not run', async () => {
  python(127);
  await expect(find(folder)).rejects.toMatchObject({ code: 'python_missing' });
});
