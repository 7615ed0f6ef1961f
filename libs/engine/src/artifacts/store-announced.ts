import type { Readable } from 'node:stream';
import { LatticeError, type Artifact } from '@lattice/contracts';
import { completeArtifacts, insertArtifacts, type NewArtifact, type OutputAddress } from '@lattice/persistence';
import { v7 as newId } from 'uuid';
import { whenConnected } from '../attempt/when-connected';
import type { Engine } from '../context';

/** An artifact that is announced, with what is to be stored for it. */
export interface Waiting {
  readonly artifact: NewArtifact;
  readonly limitBytes: number;
  readonly body: () => Promise<Readable>;
}

/** Writes the rows of artifacts that an attempt is about to store: from then on whatever lies in the store has a row. */
export async function announce(
  { db, artifacts: store }: Engine,
  address: OutputAddress,
  {
    artifacts,
    signal,
  }: { artifacts: readonly Pick<NewArtifact, 'kind' | 'name' | 'mediaType'>[]; signal: AbortSignal },
): Promise<NewArtifact[]> {
  const { runId, taskKey, epoch, attempt } = address;
  const announced = artifacts.map((one) => {
    const id = newId();
    return { ...one, id, object: `${runId}/${taskKey}/${epoch}.${attempt}/${id}` };
  });
  const identity = await store.identity();
  await whenConnected(signal, () => insertArtifacts(db, address, identity, announced));
  return announced;
}

/** Stores announced artifacts and says that they are whole. What a failure leaves in the store is swept later. */
export async function storeAnnounced(
  { artifacts: store, db }: Engine,
  waiting: readonly Waiting[],
  { signal, heard, atOnce }: { signal: AbortSignal; heard?: () => void; atOnce: number },
): Promise<Artifact[]> {
  const left = [...waiting.entries()].reverse();
  const done: Artifact[] = [];
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const storeNext = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [index, { artifact, limitBytes, body }] = next;
      const { id, name, mediaType, object } = artifact;
      const stored = await store.put(object, await body(), { mediaType, limitBytes, signal: both });
      heard?.();
      done[index] = { id, name, mediaType, ...stored };
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, storeNext));
  } catch (error) {
    failed.abort();
    throw error;
  }
  if (await whenConnected(signal, () => completeArtifacts(db, done))) return done;
  throw new LatticeError('artifacts_unavailable', 'the attempt took so long that its artifacts were given up');
}
