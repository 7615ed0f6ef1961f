/**
 * What a key may do. `viewer` reads, `operator` also submits, saves and cancels, `admin` also manages keys and sees the
 * queues; each holds what the one before it may. `worker` is for worker processes and may nothing of these.
 */
export const KEY_SCOPES = ['viewer', 'operator', 'admin', 'worker'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** A scope that a route may ask for. */
export type RouteScope = Exclude<KeyScope, 'worker'>;

const RANK: Record<KeyScope, number> = { worker: 0, viewer: 1, operator: 2, admin: 3 };

/** True when a key of the one scope may do what needs the other. */
export function mayDo(held: KeyScope, needed: RouteScope): boolean {
  return RANK[held] >= RANK[needed];
}
