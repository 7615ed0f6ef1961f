import { LatticeError, type Artifact } from '@lattice/contracts';
import type { GivenFile } from '@lattice/executor';
import { isArtifactGranted, wholeArtifact } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { openArtifact } from './open-artifact';

/**
 * Files that a task of the run asks for: name -> the artifact that it is a copy of. Read when the task is about to start. Ids may come from
 * anywhere, so whether the run may have them is asked then, too.
 */
export function filesToGive(runtime: Runtime, runId: string, files: Readonly<Record<string, Artifact>>): GivenFile[] {
  return Object.entries(files).map(([name, { id }]) => ({
    name,
    read: async (signal) => {
      const artifact = await wholeArtifact(runtime.db, id);
      if (artifact === undefined)
        throw new LatticeError('artifact_not_found', `there is no artifact ${id} for the file "${name}" (with.files)`);
      if (!(await isArtifactGranted(runtime.db, runId, artifact)))
        throw new LatticeError(
          'artifact_not_granted',
          `artifact ${id} for the file "${name}" (with.files) is of run ${artifact.runId}, which is no part of this run`,
        );
      return openArtifact(runtime, artifact, { signal });
    },
  }));
}
