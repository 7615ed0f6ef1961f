import { listSecrets } from '@lattice/persistence';
import type { Engine } from '../context';
import { readOrMakeSecret } from '../keys/secret-file';
import { newSecretsKey } from './seal';
import { hasSecretsKeys, readSecretsKeys } from './secrets-keys';

/**
 * Makes the key of secrets when there is none, and no secret that would want another. A key that does not fit what is stored is told
 * in the log: the platform works but for tasks with secrets.
 */
export async function ensureSecretsKey(engine: Engine): Promise<void> {
  const { settings, log, db } = engine;
  const stored = await listSecrets(db);
  if (stored.length === 0 && !(await hasSecretsKeys(settings)))
    await readOrMakeSecret(settings.secretsKeyFile, newSecretsKey);
  try {
    const keys = await readSecretsKeys(settings);
    for (const secret of stored) keys.of(secret);
  } catch (error) {
    log.error({ err: error }, 'tasks with secrets can not run until this process has the right key');
  }
}
