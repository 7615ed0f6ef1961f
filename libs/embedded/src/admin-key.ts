import { secretFile } from './secret';

/** Makes the first key of a home: `lat_` and 32 random bytes as base64url, mode 600. The API registers its hash. */
export function ensureAdminKey(path: string): string {
  return secretFile(path, 'lat_');
}
