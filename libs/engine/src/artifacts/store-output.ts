import { Readable } from 'node:stream';
import type { Outcome } from '@lattice/executor';
import { attemptArtifacts, type OutputAddress, type StoredArtifact } from '@lattice/persistence';
import type { Engine } from '../context';
import { announce, storeAnnounced } from './store-announced';

const NAME = 'output.json';
const MEDIA_TYPE = 'application/json';
/** An output is at most as large as LATTICE_MAX_OUTPUT. */
const LIMIT_MS = 300_000;

/** True when an output of so many bytes is kept as an artifact. */
export function isArtifact({ settings }: Engine, bytes: number): boolean {
  return bytes > settings.inlineOutput;
}

/** Stores an output that is too large for Postgres, before it is recorded; all others pass through. Throws LatticeError. */
export async function storeLargeOutput(engine: Engine, address: OutputAddress, outcome: Outcome): Promise<Outcome> {
  if (outcome.status !== 'completed') return outcome;
  const { outputJson } = outcome;
  // At most three bytes of UTF-8 for each UTF-16 unit: short outputs need no counting.
  if (!isArtifact(engine, outputJson.length * 3)) return outcome;
  const bytes = Buffer.from(outputJson);
  if (!isArtifact(engine, bytes.length)) return outcome;
  const signal = AbortSignal.timeout(LIMIT_MS);
  const artifacts = [{ kind: 'output' as const, name: NAME, mediaType: MEDIA_TYPE }];
  const [artifact] = await announce(engine, address, { artifacts, signal });
  if (artifact === undefined) return outcome;
  const waiting = { artifact, limitBytes: bytes.length, body: () => Promise.resolve(Readable.from([bytes])) };
  await storeAnnounced(engine, [waiting], { signal, atOnce: 1 });
  return outcome;
}

/** Artifacts of an attempt: its files, and its output if that is one. */
export async function readAttempt(
  engine: Engine,
  address: OutputAddress,
): Promise<{ files: StoredArtifact[]; output: StoredArtifact | undefined }> {
  const all = await attemptArtifacts(engine.db, address);
  return { files: all.filter(({ kind }) => kind === 'file'), output: all.find(({ kind }) => kind === 'output') };
}
