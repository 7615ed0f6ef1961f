import { LatticeError, type ArtifactList, type ArtifactView } from '@lattice/contracts';
import { getArtifact, listArtifacts, type StoredArtifact } from '@lattice/persistence';
import type { Engine } from '../context';
import { readRunStatus } from '../read/read-run';
import { referenceTo } from './references';

/** Which artifacts of a run to list. */
export interface ArtifactQuery {
  readonly runId: string;
  readonly task?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of the artifacts of a run; throws `run_not_found`. `next` is null when there are no more. */
export async function listRunArtifacts(engine: Engine, query: ArtifactQuery): Promise<ArtifactList> {
  await readRunStatus(engine, query.runId);
  const { task: taskKey, limit } = query;
  const found = await listArtifacts(engine.db, { ...query, taskKey, limit: limit + 1 });
  const artifacts = found.slice(0, limit).map(viewOf);
  return { artifacts, next: found.length > limit ? (artifacts.at(-1)?.id ?? null) : null };
}

/** An artifact that shows; throws `artifact_not_found`. */
export async function findArtifact(engine: Engine, id: string): Promise<StoredArtifact> {
  const found = await getArtifact(engine.db, id);
  if (found === undefined) throw new LatticeError('artifact_not_found', `There is no artifact ${id}.`);
  return found;
}

function viewOf(artifact: StoredArtifact): ArtifactView {
  const { kind, taskKey, attempt, createdAt } = artifact;
  return { ...referenceTo(artifact), kind, task: taskKey, attempt, createdAt };
}
