import { readFile } from 'node:fs/promises';
import type { Settings } from '@lattice/config';
import { LatticeError } from '@lattice/contracts';
import { z } from 'zod';
import { secretsKeyOf, type SecretsKey } from './seal';

const KEY = /^[\x21-\x7e]{32,500}$/;
const codedSchema = z.object({ code: z.string() });

type KeySettings = Pick<Settings, 'secretsKeys' | 'secretsKeyFile'>;

/** The keys of this process: the first one encrypts, all of them decrypt. */
export interface SecretsKeys {
  readonly current: SecretsKey;
  /** Throws LatticeError `secrets_key_wrong` when this process has no key of this id. */
  of(secret: { readonly name: string; readonly keyId: string }): SecretsKey;
  has(keyId: string): boolean;
}

/**
 * The keys in LATTICE_SECRETS_KEY, else in the file, one a line. The file is read each time: it may be replaced while we run. Throws
 * LatticeError `secrets_key_missing`.
 */
export async function readSecretsKeys(settings: KeySettings): Promise<SecretsKeys> {
  const texts = settings.secretsKeys ?? (await readKeyFile(settings.secretsKeyFile));
  const keys = texts.map(secretsKeyOf);
  const [current] = keys;
  if (current === undefined) {
    throw new LatticeError(
      'secrets_key_missing',
      `there is no key for secrets: neither LATTICE_SECRETS_KEY nor the file ${settings.secretsKeyFile}`,
    );
  }
  return {
    current,
    has: (keyId) => keys.some(({ id }) => id === keyId),
    of: ({ name, keyId }) => {
      const key = keys.find(({ id }) => id === keyId);
      if (key !== undefined) return key;
      const own = keys.map(({ id }) => id).join(', ');
      throw new LatticeError(
        'secrets_key_wrong',
        `secret ${name} is encrypted with key ${keyId}, which this process does not have (it has ${own})`,
      );
    },
  };
}

/** Whether this process has keys, whatever they are good for. */
export async function hasSecretsKeys(settings: KeySettings): Promise<boolean> {
  return settings.secretsKeys !== undefined || (await readKeyFile(settings.secretsKeyFile)).length > 0;
}

async function readKeyFile(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const coded = codedSchema.safeParse(error);
    if (coded.success && coded.data.code === 'ENOENT') return [];
    const why = error instanceof Error ? error.message : String(error);
    throw new LatticeError('secrets_key_missing', `the key of secrets can not be read: ${why}`);
  }
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (lines.every((line) => KEY.test(line))) return lines;
  throw new LatticeError('secrets_key_missing', `${path} holds no keys: 32 to 500 printable characters in each line`);
}
