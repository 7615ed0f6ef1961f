import type { Readable } from 'node:stream';
import type { ByteRange } from '@lattice/artifacts';
import { LatticeError } from '@lattice/contracts';
import type { StoredArtifact } from '@lattice/persistence';
import type { Engine } from '../context';

/** The bytes of an artifact. Throws `artifacts_unavailable`, also when another store has it, and `artifact_not_found`. */
export async function openArtifact(
  engine: Engine,
  { id, store, object }: Pick<StoredArtifact, 'id' | 'store' | 'object'>,
  options: { readonly range?: ByteRange; readonly signal?: AbortSignal } = {},
): Promise<Readable> {
  const own = await engine.artifacts.identity();
  if (store === own) return engine.artifacts.get(object, options);
  const message =
    `artifact ${id} is in the store ${store}, this process uses ${own}: workers, schedulers and API must share one folder, ` +
    `or use S3 (LATTICE_ARTIFACTS)`;
  throw new LatticeError('artifacts_unavailable', message);
}
