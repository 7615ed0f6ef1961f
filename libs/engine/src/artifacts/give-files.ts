import type { Readable } from 'node:stream';
import { LatticeError, artifactSchema, type Artifact } from '@lattice/contracts';
import type { GivenFile } from '@lattice/executor';
import { isArtifactGranted, wholeArtifact } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { openArtifact } from './open-artifact';

/** Files that a task of the run asks for: name -> the artifact that it is a copy of. Read when the task is about to start. */
export function filesToGive(runtime: Runtime, runId: string, files: Readonly<Record<string, Artifact>>): GivenFile[] {
  return Object.entries(files).map(([name, { id }]) => ({
    name,
    read: (signal) => openGranted(runtime, { runId, id, what: `for the file "${name}" (with.files)` }, signal),
  }));
}

/**
 * The bytes of an artifact that a run asks for. Ids may come from anywhere, so whether the run may have it is asked then. Throws
 * `artifact_not_found`, `artifact_not_granted`, `artifacts_unavailable`.
 */
export async function openGranted(
  runtime: Runtime,
  { runId, id, what }: { runId: string; id: string; what: string },
  signal: AbortSignal,
): Promise<Readable> {
  const artifact = isId(id) ? await wholeArtifact(runtime.db, id) : undefined;
  if (artifact === undefined) throw new LatticeError('artifact_not_found', `there is no artifact ${id} ${what}`);
  if (!(await isArtifactGranted(runtime.db, runId, artifact)))
    throw new LatticeError(
      'artifact_not_granted',
      `artifact ${id} ${what} is of run ${artifact.runId}, which is no part of this run`,
    );
  return openArtifact(runtime, artifact, { signal });
}

function isId(text: string): boolean {
  return artifactSchema.shape.id.safeParse(text).success;
}
