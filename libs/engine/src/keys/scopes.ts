import type { KeyScope } from '@lattice/contracts';

/** A scope that a route may ask for. */
export type RouteScope = Exclude<KeyScope, 'worker'>;

const RANK: Record<KeyScope, number> = { worker: 0, viewer: 1, operator: 2, admin: 3 };

/** True when a key of the one scope may do what needs the other. */
export function mayDo(held: KeyScope, needed: RouteScope): boolean {
  return RANK[held] >= RANK[needed];
}
