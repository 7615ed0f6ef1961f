import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { LatticeError } from '@lattice/contracts';
import type { SealedSecret } from '@lattice/persistence';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key that secrets are encrypted with. */
export interface SecretsKey {
  /** Tells it from others, and tells nothing of it. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** A new key, as people keep it. */
export function newSecretsKey(): string {
  return `lsk_${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/** The key of a text. The text must be random: a word that can be guessed makes a key that can be guessed. */
export function secretsKeyOf(text: string): SecretsKey {
  const bytes = Buffer.from(hkdfSync('sha256', text, '', 'lattice secrets', KEY_BYTES));
  const id = createHash('sha256').update('lattice secrets key id').update(bytes).digest('hex').slice(0, 12);
  return { id, bytes };
}

/** Encrypts a value under its name: what is stored for one name can't be passed off as that of another. */
export function seal(key: SecretsKey, name: string, value: string): SealedSecret {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(name));
  const sealed = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { name, keyId: key.id, sealed };
}

/** The value; throws LatticeError `secret_unreadable` when what is stored is not what was sealed. */
export function unseal(key: SecretsKey, { name, sealed }: SealedSecret): string {
  try {
    const decipher = createDecipheriv(CIPHER, key.bytes, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    throw new LatticeError('secret_unreadable', `what is stored as secret ${name} is not what was encrypted`);
  }
}
