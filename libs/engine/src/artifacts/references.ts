import type { Artifact } from '@lattice/contracts';
import type { StoredArtifact } from '@lattice/persistence';

/** What expressions know of the files of a task: by name, references. */
export type ArtifactScope = Readonly<Record<string, Artifact>>;

export const NO_ARTIFACTS: ArtifactScope = {};

export function scopeOfArtifacts(artifacts: readonly Artifact[] | undefined): ArtifactScope {
  if (artifacts === undefined || artifacts.length === 0) return NO_ARTIFACTS;
  return Object.fromEntries(artifacts.map((artifact) => [artifact.name, artifact]));
}

/** The reference to an artifact, without where it is kept. */
export function referenceTo({ id, name, size, sha256, mediaType }: StoredArtifact): Artifact {
  return { id, name, size, sha256, mediaType };
}
