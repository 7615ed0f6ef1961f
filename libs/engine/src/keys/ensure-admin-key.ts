import { randomUUID } from 'node:crypto';
import { findKeyByHash, insertKey } from '@lattice/persistence';
import type { Engine } from '../context';
import { readOrMakeSecret } from './secret-file';
import { hashKey, newKey } from './secret';

/**
 * Makes sure that the key in `settings.adminKeyFile` is registered with the scope admin; makes key and file when there are
 * none. A key that was revoked stays so: the log says how to get another.
 */
export async function ensureAdminKey(engine: Engine): Promise<void> {
  const { adminKeyFile } = engine.settings;
  const hash = hashKey(await readOrMakeSecret(adminKeyFile, newKey));
  if ((await findKeyByHash(engine.db, hash)) !== undefined) return;
  try {
    await insertKey(engine.db, { id: randomUUID(), name: 'admin', hash, scopes: ['admin'] });
  } catch (error) {
    // Another process registered it at the same time, or it was registered and revoked.
    if ((await findKeyByHash(engine.db, hash)) !== undefined) return;
    if (!isDuplicate(error)) throw error;
    engine.log.warn(
      { file: adminKeyFile },
      'the admin key of this file is revoked; remove the file and start again for a new one',
    );
  }
}

/** Postgres refuses a second row of the same hash. */
function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}
