import { taskErrorSchema, type WorkflowDocument } from '@lattice/contracts';
import type { Scope, TaskScope } from '@lattice/expression';
import { taskResults } from '@lattice/persistence';
import { readHead, readResults, type StoredResult } from '@lattice/queue';
import { z } from 'zod';
import type { Engine } from '../context';
import { readOutput } from './outputs';

const inputsSchema = z.record(z.string(), z.unknown());

/** Inputs of a run of the body of a map or loop, as they are stored. */
export const bodyInputsSchema = z.object({
  /** The round: `item` or `last`, and `index`. */
  each: inputsSchema,
  inputs: inputsSchema,
  /** Tasks around the body that it refers to, and the runs they are of. */
  around: z.record(z.string(), z.string()),
});

/** What a run was given. */
export interface Given {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly each: Readonly<Record<string, unknown>> | undefined;
  /** Tasks outside of the run that its expressions may name -> the run they are of. */
  readonly around: Readonly<Record<string, string>>;
}

/** What a run of the document was given, from the JSON of its inputs. */
export function parseGiven(json: string, document: WorkflowDocument): Given {
  const value: unknown = JSON.parse(json);
  if (document.within !== undefined) return bodyInputsSchema.parse(value);
  return { inputs: inputsSchema.parse(value), each: undefined, around: {} };
}

/** What expressions may know of a task that has ended. */
export async function taskScope(
  engine: Engine,
  runId: string,
  taskKey: string,
  result: StoredResult,
): Promise<TaskScope> {
  return {
    status: result.status === '' ? 'pending' : result.status,
    ...(await readOutput(engine, runId, taskKey, result)),
    error: result.status === 'failed' && result.error !== '' ? taskErrorSchema.parse(JSON.parse(result.error)) : null,
  };
}

/** What expressions may know of tasks of other runs: those around a body. All of them have ended. */
export async function scopesAround(
  engine: Engine,
  around: Readonly<Record<string, string>>,
  taskKeys: readonly string[],
): Promise<Record<string, TaskScope>> {
  const scopes: Record<string, TaskScope> = {};
  for (const key of taskKeys) {
    const runId = around[key];
    if (runId === undefined) continue;
    const [inRedis] = await readResults(engine.queue, runId, [key]);
    const result = inRedis?.status === '' || inRedis === undefined ? await fromHistory(engine, runId, key) : inRedis;
    scopes[key] = await taskScope(engine, runId, key, result);
  }
  return scopes;
}

/** The run around has left Redis: a run of its body is done again. */
async function fromHistory(engine: Engine, runId: string, taskKey: string): Promise<StoredResult> {
  const found = (await taskResults(engine.db, runId)).find(({ key }) => key === taskKey);
  if (found?.status !== 'completed' && found?.status !== 'failed' && found?.status !== 'skipped') return NONE;
  return {
    status: found.status,
    output: found.outputBytes === null ? (found.output ?? '') : `@${found.epoch}.${found.attempts}`,
    error: found.error === null ? '' : JSON.stringify(found.error),
  };
}

/** The scope of an expression that refers to these tasks, read from the run hash. */
export async function readScope(
  engine: Engine,
  run: { runId: string; document: WorkflowDocument },
  taskKeys: Iterable<string>,
): Promise<Scope> {
  const { runId, document } = run;
  const keys = [...taskKeys];
  const own = keys.filter((key) => Object.hasOwn(document.tasks, key));
  const [head, results] = await Promise.all([readHead(engine.queue, runId), readResults(engine.queue, runId, own)]);
  const given = parseGiven(head?.inputsJson ?? '{}', document);
  const scopes = await Promise.all(
    own.map(async (key, index) => [key, await taskScope(engine, runId, key, results[index] ?? NONE)] as const),
  );
  const outside = keys.filter((key) => !Object.hasOwn(document.tasks, key));
  return {
    inputs: given.inputs,
    tasks: { ...(await scopesAround(engine, given.around, outside)), ...Object.fromEntries(scopes) },
    run: { id: runId, workflow: document.name },
    each: given.each,
  };
}

const NONE: StoredResult = { status: '', output: '', error: '' };
