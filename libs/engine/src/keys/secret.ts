import { createHash, randomBytes } from 'node:crypto';

/** A new key: `lat_` and 43 characters of base64url (256 random bits). */
export function newKey(): string {
  return `lat_${randomBytes(32).toString('base64url')}`;
}

/**
 * What is stored of a key: its SHA-256 in hex. A slow hash would add nothing, because a key is 256 random bits and not a
 * password; and finding it by an index of the hash tells nothing by its timing about any key.
 */
export function hashKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}
