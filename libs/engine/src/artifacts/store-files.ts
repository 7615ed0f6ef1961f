import { mediaTypeOf } from '@lattice/artifacts';
import type { Artifact } from '@lattice/contracts';
import type { ArtifactKeeper, LeftFile } from '@lattice/executor';
import type { OutputAddress } from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { announce, storeAnnounced } from './store-announced';

/** Uploads of an attempt that go on at the same time. */
const AT_ONCE = 4;
/** Files that can't be stored within so long are given up: the attempt fails, and may be made again. */
const LIMIT_MS = 3_600_000;

/** Keeps what an attempt leaves. `heard` is told while it goes on: a task that is silent meanwhile is not stuck. */
export function artifactKeeper(runtime: Runtime, address: OutputAddress, heard: () => void): ArtifactKeeper {
  const { maxBytes, maxCount } = runtime.settings.artifacts;
  return {
    maxBytes,
    maxCount,
    keep: (files, signal) => storeFiles(runtime, address, files, { signal, heard }),
  };
}

async function storeFiles(
  runtime: Runtime,
  address: OutputAddress,
  files: readonly LeftFile[],
  { signal, heard }: { signal: AbortSignal; heard: () => void },
): Promise<Artifact[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const artifacts = files.map(({ name }) => ({ kind: 'file' as const, name, mediaType: mediaTypeOf(name) }));
  const announced = await announce(runtime, address, { artifacts, signal: limit });
  const waiting = files.flatMap((file, index) => {
    const artifact = announced[index];
    return artifact === undefined ? [] : [{ artifact, limitBytes: file.size, body: () => file.read() }];
  });
  const stored = await storeAnnounced(runtime, waiting, { signal: limit, heard, atOnce: AT_ONCE });
  await runtime.race?.('after-upload', { runId: address.runId, taskKey: address.taskKey });
  return stored;
}
