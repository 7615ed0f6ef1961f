import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashKey, newKey } from './secret';
import { readOrMakeSecret } from './secret-file';

describe('readOrMakeSecret', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lattice-secret-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('makes a file that only its owner reads, and reads it the next time', async () => {
    const path = join(folder, 'home', 'admin.key');
    const secret = await readOrMakeSecret(path, newKey);
    expect(secret).toMatch(/^lat_[A-Za-z0-9_-]{43}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'home'))).mode & 0o777).toBe(0o700);
    expect(await readOrMakeSecret(path, newKey)).toBe(secret);
  });

  it('gives all who make it at once the same secret, and leaves no draft', async () => {
    const path = join(folder, 'admin.key');
    const secrets = await Promise.all(Array.from({ length: 20 }, () => readOrMakeSecret(path, newKey)));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(folder)).toEqual(['admin.key']);
  });

  it('refuses a file that holds no secret', async () => {
    const path = join(folder, 'admin.key');
    await writeFile(path, '\n');
    await expect(readOrMakeSecret(path, newKey)).rejects.toThrow('holds no secret');
  });
});

it('hashes a key with SHA-256', () => {
  expect(hashKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
