import { LatticeError } from '@lattice/contracts';
import type { Request } from 'express';

const KEY = /^[\x21-\x7e][\x20-\x7e]{0,254}$/;

/** How the header is documented. */
export const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  required: false,
  description: 'A repeat with the same key within 24 hours gives the first run, with status 200.',
} as const;

/** The Idempotency-Key of a request; throws `bad_request` when it is none. */
export function readIdempotencyKey(request: Request): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new LatticeError('bad_request', 'The Idempotency-Key has to be 1 to 255 printable ASCII characters.');
}
