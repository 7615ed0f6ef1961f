import { loadOutput, storeOutput } from '@lattice/persistence';
import type { RunRef, StoredResult } from '@lattice/queue';
import type { Engine } from '../context';

/** Outputs up to so many bytes live in the run hash, larger ones in Postgres. */
export const INLINE_BYTES = 65_536;

/** An output as the run hash has it: the JSON text, or `@ATTEMPT`. JSON never begins with @. */
export interface KeptOutput {
  readonly field: string;
  /** Bytes of an output that went to Postgres. */
  readonly outputBytes?: number;
}

/** Puts an output where it belongs. Large ones are in Postgres before the attempt is recorded, so that a record never lacks one. */
export async function keepOutput(
  engine: Engine,
  run: RunRef,
  output: { taskKey: string; attempt: number; json: string },
): Promise<KeptOutput> {
  const { json, taskKey, attempt } = output;
  // At most three bytes of UTF-8 for each UTF-16 unit: short outputs need no counting.
  const bytes = json.length * 3 > INLINE_BYTES ? Buffer.byteLength(json) : json.length;
  if (bytes <= INLINE_BYTES) return { field: json };
  await storeOutput(engine.db, { runId: run.runId, epoch: run.epoch, taskKey, attempt }, json);
  return { field: `@${run.epoch}.${attempt}`, outputBytes: bytes };
}

/** The value of a stored output; null when the task gave none. */
export async function readOutput(
  engine: Engine,
  runId: string,
  taskKey: string,
  result: StoredResult,
): Promise<unknown> {
  if (result.output === '') return null;
  if (!result.output.startsWith('@')) return JSON.parse(result.output);
  const [epoch, attempt] = result.output.slice(1).split('.').map(Number);
  const json = await loadOutput(engine.db, { runId, epoch: epoch ?? 0, taskKey, attempt: attempt ?? 0 });
  if (json === undefined)
    throw new Error(`the output of task ${taskKey} of run ${runId} (${result.output}) is not in Postgres`);
  return JSON.parse(json);
}
