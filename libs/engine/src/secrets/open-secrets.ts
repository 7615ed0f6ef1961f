import { LatticeError } from '@lattice/contracts';
import { findSecrets } from '@lattice/persistence';
import type { Engine } from '../context';
import { unseal } from './seal';
import { readSecretsKeys } from './secrets-keys';

/** The values of secrets. Throws `secret_missing` that names all that are not stored, or what is wrong with the keys. */
export async function openSecrets(
  { db, settings }: Pick<Engine, 'db' | 'settings'>,
  names: ReadonlySet<string>,
): Promise<Record<string, string>> {
  const keys = await readSecretsKeys(settings);
  const found = await findSecrets(db, [...names]);
  const missing = [...names].filter((name) => !found.some((secret) => secret.name === name));
  if (missing.length > 0) {
    const [one] = missing;
    const what = missing.length === 1 ? `secret ${one}` : `secrets ${missing.join(', ')}`;
    throw new LatticeError(
      'secret_missing',
      `the task uses ${what}, which ${missing.length === 1 ? 'is' : 'are'} not stored`,
    );
  }
  return Object.fromEntries(found.map((secret) => [secret.name, unseal(keys.of(secret), secret)]));
}

/** What stands for the values where they are not to be known: in what the cache goes by. */
export function namesOfSecrets(names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries([...names].map((name) => [name, `\${{ secrets.${name} }}`]));
}
