import { doomedArtifacts, forgetArtifacts, judgeArtifacts } from '@lattice/persistence';
import type { Engine } from '../context';

const BATCH = 500;
const PAUSE_MS = 60_000;
const STEP_MS = 100;

/**
 * One step of the removal of artifacts that nobody can see: those of attempts that were not recorded, and of runs that are deleted. Any
 * number of schedulers may do so at once. Returns milliseconds until the next step.
 */
export async function sweepArtifacts({ db, artifacts: store }: Engine): Promise<number> {
  const judged = await judgeArtifacts(db, BATCH);
  const doomed = await doomedArtifacts(db, await store.identity(), BATCH);
  // The object goes first: what has no row is never found again.
  await store.remove(doomed.flatMap(({ object, last }) => (last ? [object] : [])));
  if (doomed.length > 0)
    await forgetArtifacts(
      db,
      doomed.map(({ id }) => id),
    );
  return judged === BATCH || doomed.length === BATCH ? STEP_MS : PAUSE_MS;
}
