import { taskErrorSchema } from '@lattice/contracts';
import type { Scope, TaskScope } from '@lattice/expression';
import { readHead, readResults, type StoredResult } from '@lattice/queue';
import { z } from 'zod';
import type { Engine } from '../context';
import { readOutput } from './outputs';

const inputsSchema = z.record(z.string(), z.unknown());

/** Inputs of a run from their JSON. */
export function parseInputs(json: string): Record<string, unknown> {
  return inputsSchema.parse(JSON.parse(json));
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
    output: await readOutput(engine, runId, taskKey, result),
    error: result.status === 'failed' && result.error !== '' ? taskErrorSchema.parse(JSON.parse(result.error)) : null,
  };
}

/** The scope of an expression that refers to these tasks, read from the run hash. */
export async function readScope(
  engine: Engine,
  run: { runId: string; workflow: string },
  taskKeys: Iterable<string>,
): Promise<Scope> {
  const keys = [...taskKeys];
  const [head, results] = await Promise.all([
    readHead(engine.queue, run.runId),
    readResults(engine.queue, run.runId, keys),
  ]);
  const scopes = await Promise.all(
    keys.map(async (key, index) => [key, await taskScope(engine, run.runId, key, results[index] ?? NONE)] as const),
  );
  return {
    inputs: parseInputs(head?.inputsJson ?? '{}'),
    tasks: Object.fromEntries(scopes),
    run: { id: run.runId, workflow: run.workflow },
  };
}

const NONE: StoredResult = { status: '', output: '', error: '' };
