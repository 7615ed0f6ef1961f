import { LatticeError, type Artifact } from '@lattice/contracts';
import { attemptArtifacts, type OutputAddress, type StoredArtifact } from '@lattice/persistence';
import type { Runtime } from '../runtime';

/**
 * What an attempt outside of the platform has saved, by name. These ids have to be all of it: whatever lies there shows with the task, and
 * what its worker does not know of would. Throws `artifacts_unavailable` when they are not, `artifacts_too_large` above the limits.
 */
export async function savedArtifacts(
  runtime: Runtime,
  address: OutputAddress,
  ids: readonly string[],
): Promise<Artifact[]> {
  const saved = await filesOf(runtime, address);
  const known = new Set(ids);
  if (saved.length !== known.size || !saved.every(({ id }) => known.has(id))) {
    const message = `the attempt has saved ${saved.length} files, its worker knows of ${known.size}, or of others`;
    throw new LatticeError('artifacts_unavailable', message);
  }
  const { maxBytes, maxCount } = runtime.settings.artifacts;
  // Each was within the limit when it came; some may have come at the same time.
  if (saved.length > maxCount || bytesOf(saved) > maxBytes)
    throw new LatticeError('artifacts_too_large', `the task saved more than ${maxBytes} bytes or ${maxCount} files`);
  return saved.map(({ id, name, size, sha256, mediaType }) => ({ id, name, size, sha256, mediaType }));
}

/** The files that an attempt has saved, whole. */
export async function filesOf(runtime: Runtime, address: OutputAddress): Promise<StoredArtifact[]> {
  return (await attemptArtifacts(runtime.db, address)).filter(({ kind }) => kind === 'file');
}

export function bytesOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
