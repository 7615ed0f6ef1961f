import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { systemCode } from './errors';

/**
 * A file that holds one random secret and a newline, mode 600, made if missing and never changed. Call it only while
 * holding the home's lock.
 */
export function secretFile(path: string, prefix = ''): string {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const secret = prefix + randomBytes(32).toString('base64url');
  writeFileSync(path, `${secret}\n`, { mode: 0o600 });
  return secret;
}
