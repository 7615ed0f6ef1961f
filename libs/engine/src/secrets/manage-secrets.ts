import {
  LatticeError,
  rotatedSecretsSchema,
  secretViewSchema,
  type RotatedSecrets,
  type SecretView,
} from '@lattice/contracts';
import { deleteSecret, listSecrets, lockSecretsOfOtherKeys, putSecret, resealSecrets } from '@lattice/persistence';
import type { Engine } from '../context';
import { seal, unseal } from './seal';
import { readSecretsKeys } from './secrets-keys';

/**
 * Stores a secret, in place of one of its name. Throws `secrets_key_missing`, and `secrets_key_wrong` while other secrets are
 * encrypted with a key that this process lacks: with a second key in use by accident, tasks would fail one by one.
 */
export async function setSecret(
  { db, settings }: Engine,
  name: string,
  value: string,
): Promise<{ secret: SecretView; created: boolean }> {
  const keys = await readSecretsKeys(settings);
  for (const other of await listSecrets(db)) if (other.name !== name) keys.of(other);
  const { secret, created } = await putSecret(db, seal(keys.current, name, value));
  return { secret: secretViewSchema.parse(secret), created };
}

/** All secrets by name, without their values. */
export async function readSecrets({ db }: Engine): Promise<SecretView[]> {
  return (await listSecrets(db)).map((secret) => secretViewSchema.parse(secret));
}

/** Throws `secret_not_found`. Needs no key: a secret whose key is lost can be removed. */
export async function removeSecret({ db }: Engine, name: string): Promise<void> {
  // Text in Postgres has no NUL.
  const removed = !name.includes('\0') && (await deleteSecret(db, name));
  if (!removed) throw new LatticeError('secret_not_found', `There is no secret ${name}.`);
}

/**
 * Encrypts all secrets with the first of this process's keys. All or none: throws `secrets_key_wrong` when one is encrypted with a key
 * that is not among them. Doing it again is harmless.
 */
export async function rotateSecrets({ db, settings }: Engine): Promise<RotatedSecrets> {
  const keys = await readSecretsKeys(settings);
  const { current } = keys;
  const rotated = await db.transaction(async (session) => {
    const others = await lockSecretsOfOtherKeys(session, current.id);
    const resealed = others.map((secret) => seal(current, secret.name, unseal(keys.of(secret), secret)));
    if (resealed.length > 0) await resealSecrets(session, current.id, resealed);
    return resealed.length;
  });
  return rotatedSecretsSchema.parse({ keyId: current.id, rotated });
}
