import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { newSecretsKey, seal, secretsKeyOf, unseal } from './seal';
import { readSecretsKeys } from './secrets-keys';

const key = secretsKeyOf(newSecretsKey());

describe('a sealed secret', () => {
  it('comes out as it went in, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, value) => {
        const sealed = seal(key, name, value);
        expect(unseal(key, sealed)).toBe(value);
        expect(seal(key, name, value).sealed.equals(sealed.sealed)).toBe(false);
        if (value.length > 3) expect(sealed.sealed.includes(value)).toBe(false);
      }),
    );
  });

  it('is refused when a bit of it, its name or its key is another', () => {
    const sealed = seal(key, 'A', 'correct-horse');
    fc.assert(
      fc.property(fc.nat({ max: sealed.sealed.length * 8 - 1 }), (bit) => {
        const bytes = Buffer.from(sealed.sealed);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => unseal(key, { ...sealed, sealed: bytes })).toThrow('secret A is not what was encrypted');
      }),
    );
    expect(() => unseal(key, { ...sealed, name: 'B' })).toThrow('secret B');
    expect(() => unseal(secretsKeyOf(newSecretsKey()), sealed)).toThrow('secret A');
    expect(() => unseal(key, { ...sealed, sealed: Buffer.alloc(3) })).toThrow('secret A');
  });
});

describe('the keys of a process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lattice-secrets-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are those of the variable, else the lines of the file, read each time', async () => {
    const [old, young] = [newSecretsKey(), newSecretsKey()];
    const secretsKeyFile = join(folder, 'secrets.key');
    const settings = { secretsKeys: undefined, secretsKeyFile };
    await expect(readSecretsKeys(settings)).rejects.toMatchObject({ code: 'secrets_key_missing' });
    await writeFile(secretsKeyFile, `${old}\n`);
    expect((await readSecretsKeys(settings)).current.id).toBe(secretsKeyOf(old).id);
    await writeFile(secretsKeyFile, `${young}\n${old}\n`);
    const keys = await readSecretsKeys(settings);
    expect(keys.current.id).toBe(secretsKeyOf(young).id);
    const secret = seal(secretsKeyOf(old), 'A', 'correct-horse');
    expect(unseal(keys.of(secret), secret)).toBe('correct-horse');
    const other = await readSecretsKeys({ secretsKeys: [young], secretsKeyFile });
    expect(() => other.of(secret)).toThrow(`secret A is encrypted with key ${secret.keyId}`);
  });

  it('are refused when the file holds something else, which is not shown', async () => {
    const secretsKeyFile = join(folder, 'broken.key');
    await writeFile(secretsKeyFile, 'hunter2\n');
    const failure = await readSecretsKeys({ secretsKeys: undefined, secretsKeyFile }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'secrets_key_missing', message: expect.not.stringContaining('hunter2') });
  });
});
