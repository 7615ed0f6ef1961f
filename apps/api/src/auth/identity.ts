import type { Identity } from '@lattice/engine';
import { LatticeError } from '@lattice/contracts';
import type { Request } from 'express';

const identities = new WeakMap<object, Identity>();

/** Notes who makes a request; only {@link authenticate} does so. */
export function setIdentity(request: object, identity: Identity): void {
  identities.set(request, identity);
}

/** Who makes the request; throws `unauthorized` when nobody was found to. */
export function identityOf(request: Request): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new LatticeError('unauthorized', 'This needs a key.');
  return identity;
}
