import { Readable } from 'node:stream';
import { mediaTypeOf } from '@lattice/artifacts';
import { LatticeError, filePathSchema, type Artifact } from '@lattice/contracts';
import { bytesOf, filesOf } from '../artifacts/saved-artifacts';
import { announce, storeAnnounced } from '../artifacts/store-announced';
import type { Runtime } from '../runtime';
import { addressOfHeld, type HeldAttempt } from './held-attempt';

/** A save that takes longer is given up. */
const LIMIT_MS = 3_600_000;

/**
 * Saves a file of a handler of a worker outside, as the keeper of a worker of the platform does (decision 29). A name that is saved already
 * gives what was saved: a worker that did not hear the answer asks again. Throws `heartbeat_lost`, `artifact_refused`,
 * `artifacts_too_large`, `artifacts_unavailable`, and what reading the body throws.
 */
export async function saveForAttempt(
  runtime: Runtime,
  held: HeldAttempt,
  file: { readonly name: string; readonly body: Readable; readonly signal: AbortSignal },
): Promise<Artifact> {
  const { name } = file;
  const checked = filePathSchema.safeParse(name);
  if (!checked.success) throw new LatticeError('artifact_refused', `${JSON.stringify(name)} can't be its name`);
  const address = await addressOfHeld(runtime, held);
  const saved = await filesOf(runtime, address);
  const earlier = saved.find((one) => one.name === name);
  if (earlier !== undefined) return referenceOf(earlier);
  const other = saved.find((one) => one.name.startsWith(`${name}/`) || name.startsWith(`${one.name}/`));
  if (other !== undefined)
    throw new LatticeError(
      'artifact_refused',
      `${JSON.stringify(name)} is refused: there is ${JSON.stringify(other.name)}`,
    );
  const { maxBytes, maxCount } = runtime.settings.artifacts;
  if (saved.length >= maxCount)
    throw new LatticeError('artifacts_too_large', `the task saved more than ${maxCount} files`);
  const signal = AbortSignal.any([file.signal, AbortSignal.timeout(LIMIT_MS)]);
  const artifacts = [{ kind: 'file' as const, name, mediaType: mediaTypeOf(name) }];
  const [artifact] = await announce(runtime, address, { artifacts, signal });
  if (artifact === undefined) throw new LatticeError('internal', `nothing was announced of ${name}`);
  const limitBytes = maxBytes - bytesOf(saved);
  const fault: { error?: unknown } = {};
  const bytes = bounded(file.body, { limitBytes, maxBytes, fault, held: () => addressOfHeld(runtime, held) });
  const body = (): Promise<Readable> => Promise.resolve(Readable.from(bytes, { objectMode: false }));
  try {
    const [stored] = await storeAnnounced(runtime, [{ artifact, limitBytes, body }], { signal, atOnce: 1 });
    if (stored === undefined) throw new LatticeError('internal', `nothing was stored of ${name}`);
    return referenceOf(stored);
  } catch (error) {
    // A store may say no more than that the bytes ended early.
    throw fault.error ?? error;
  }
}

interface Bounds {
  readonly limitBytes: number;
  readonly maxBytes: number;
  /** Takes what ended the bytes early. */
  readonly fault: { error?: unknown };
  /** Rejects when the attempt is not its worker's any more. */
  readonly held: () => Promise<unknown>;
}

/** The bytes of a body up to a limit; what comes to its end when the attempt is over is not whole. */
async function* bounded(body: Readable, { limitBytes, maxBytes, fault, held }: Bounds): AsyncGenerator<Uint8Array> {
  let left = limitBytes;
  try {
    // Without its end the connection would go, and the answer that says why with it.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) throw new LatticeError('bad_request', 'The body is not bytes.');
      left -= chunk.length;
      if (left < 0) throw new LatticeError('artifacts_too_large', `the task saved more than ${maxBytes} bytes`);
      yield chunk;
    }
    await held();
  } catch (error) {
    fault.error = error;
    throw error;
  }
}

function referenceOf({ id, name, size, sha256, mediaType }: Artifact): Artifact {
  return { id, name, size, sha256, mediaType };
}
