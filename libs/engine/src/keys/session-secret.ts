import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../context';
import { readOrMakeSecret } from './secret-file';

/** The secret that browser sessions are signed with. Every API process that shares LATTICE_HOME has the same. */
export async function readSessionSecret(engine: Engine): Promise<string> {
  return readOrMakeSecret(join(engine.settings.home, 'session.secret'), () => randomBytes(32).toString('base64url'));
}
