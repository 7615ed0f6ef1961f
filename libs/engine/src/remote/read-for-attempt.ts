import type { Readable } from 'node:stream';
import { openGranted } from '../artifacts/give-files';
import type { Runtime } from '../runtime';
import { addressOfHeld, type HeldAttempt } from './held-attempt';

/**
 * The bytes of an artifact for a handler of a worker outside: what its run may have. Throws `heartbeat_lost`, `artifact_not_found`,
 * `artifact_not_granted`, `artifacts_unavailable`.
 */
export async function readForAttempt(
  runtime: Runtime,
  held: HeldAttempt,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<Readable> {
  const { runId } = await addressOfHeld(runtime, held);
  return openGranted(runtime, { runId, id, what: 'for a handler' }, signal);
}
