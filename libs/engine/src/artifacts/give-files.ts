import { LatticeError, type Artifact } from '@lattice/contracts';
import type { GivenFile } from '@lattice/executor';
import { wholeArtifact } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { openArtifact } from './open-artifact';

/** Files that a task asks for: name -> the artifact that it is a copy of. Read when the task is about to start. */
export function filesToGive(runtime: Runtime, files: Readonly<Record<string, Artifact>>): GivenFile[] {
  return Object.entries(files).map(([name, { id }]) => ({
    name,
    read: async (signal) => {
      const artifact = await wholeArtifact(runtime.db, id);
      if (artifact === undefined)
        throw new LatticeError('artifact_not_found', `there is no artifact ${id} for the file "${name}" (with.files)`);
      return openArtifact(runtime, artifact, { signal });
    },
  }));
}
