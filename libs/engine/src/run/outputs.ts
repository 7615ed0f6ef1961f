import { text } from 'node:stream/consumers';
import { LatticeError } from '@lattice/contracts';
import { loadOutput, storeOutput, type StoredArtifact } from '@lattice/persistence';
import type { RunRef, StoredResult } from '@lattice/queue';
import { openArtifact } from '../artifacts/open-artifact';
import { NO_ARTIFACTS, referenceTo, scopeOfArtifacts, type ArtifactScope } from '../artifacts/references';
import { isArtifact, readAttempt } from '../artifacts/store-output';
import type { Engine } from '../context';

/** Outputs up to so many bytes live in the run hash, larger ones in Postgres, or in the store of artifacts. */
export const INLINE_BYTES = 65_536;

/** An output as the run hash has it: the JSON text, or `@ATTEMPT`. JSON never begins with @. */
export interface KeptOutput {
  readonly field: string;
  /** Bytes of an output that went to Postgres. */
  readonly outputBytes?: number;
}

/**
 * Puts an output where it belongs. Large ones are in Postgres before the attempt is recorded, so that a record never lacks one; larger ones
 * are in the store of artifacts by now. `apart`: the attempt left files, which are looked for beside an output that is kept apart.
 */
export async function keepOutput(
  engine: Engine,
  run: RunRef,
  output: { taskKey: string; attempt: number; json: string; apart: boolean },
): Promise<KeptOutput> {
  const { json, taskKey, attempt, apart } = output;
  // At most three bytes of UTF-8 for each UTF-16 unit: short outputs need no counting.
  const bytes = json.length * 3 > INLINE_BYTES ? Buffer.byteLength(json) : json.length;
  if (bytes <= INLINE_BYTES && !apart) return { field: json };
  if (!isArtifact(engine, bytes))
    await storeOutput(engine.db, { runId: run.runId, epoch: run.epoch, taskKey, attempt }, json);
  return { field: `@${run.epoch}.${attempt}`, outputBytes: bytes };
}

/** What a task has made. */
export interface Made {
  /** Null when the task gave none. */
  readonly output: unknown;
  readonly artifacts: ArtifactScope;
}

/** The value of a stored output, with the files beside it. Throws `output_gone` when it is not stored any more, nor will be. */
export async function readOutput(engine: Engine, runId: string, taskKey: string, result: StoredResult): Promise<Made> {
  if (result.output === '') return { output: null, artifacts: NO_ARTIFACTS };
  if (!result.output.startsWith('@')) return { output: JSON.parse(result.output), artifacts: NO_ARTIFACTS };
  const [epoch, attempt] = result.output.slice(1).split('.').map(Number);
  const address = { runId, epoch: epoch ?? 0, taskKey, attempt: attempt ?? 0 };
  const [json, { files, output }] = await Promise.all([loadOutput(engine.db, address), readAttempt(engine, address)]);
  const artifacts = scopeOfArtifacts(files.map(referenceTo));
  if (json !== undefined) return { output: JSON.parse(json), artifacts };
  const gone = `the output of task "${taskKey}" of run ${runId}, attempt ${attempt ?? 0},`;
  if (output === undefined) throw new LatticeError('output_gone', `${gone} is not in the database any more`);
  return { output: await readObject(engine, output, gone), artifacts };
}

/** Nothing brings back an object that is gone, or was cut: whoever waited for it would wait for ever. */
async function readObject(engine: Engine, artifact: StoredArtifact, what: string): Promise<unknown> {
  const json = await openArtifact(engine, artifact)
    .then(text)
    .catch((error: unknown) => {
      if (!(error instanceof LatticeError) || error.code !== 'artifact_not_found') throw error;
      throw new LatticeError('output_gone', `${what} is not in the store of artifacts any more (${artifact.object})`);
    });
  try {
    return JSON.parse(json);
  } catch {
    throw new LatticeError('output_gone', `${what} was changed in the store of artifacts (${artifact.object})`);
  }
}
