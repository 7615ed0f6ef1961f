import type { Outcome } from '@lattice/executor';
import { evaluateTemplate, type Scope, type Template } from '@lattice/expression';
import { fingerprint, type TaskDefinition } from '@lattice/flow';
import { findCached, storeCached } from '@lattice/persistence';
import { isArtifact } from '../artifacts/store-output';
import type { Compiled } from '../run/plans';
import type { Runtime } from '../runtime';
import type { prepare } from './execution';

/** What the cache has to know of an attempt. */
interface Asked {
  readonly run: { readonly runId: string };
  readonly task: TaskDefinition;
  readonly compiled: Compiled;
  readonly scope: Scope;
}

/**
 * The result that was kept for the same question, else that of `work`, which is then kept. Two who miss at once both do the
 * work. A cache that can't be asked costs the work, never the attempt. Throws LatticeError when the key can't be evaluated.
 */
export async function throughCache(
  runtime: Runtime,
  attempt: Asked,
  prepared: ReturnType<typeof prepare>,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { task, run, compiled } = attempt;
  const { cache } = task;
  if (cache === undefined) return work();
  const { db, log } = runtime;
  const key = keyOf(attempt, cache.key, prepared);
  const about = { runId: run.runId, taskKey: task.key };
  const tell = (error: unknown): void => log.warn({ err: error, ...about }, 'the cache of results does not answer');
  const found = await findCached(db, key).catch(tell);
  if (found !== undefined) return { status: 'completed', outputJson: found.output, cachedFrom: found.runId };
  const outcome = await work();
  // A result with files, or so large that it is one, is not taken over: they belong to the attempt that made them.
  if (outcome.status !== 'completed' || outcome.artifacts !== undefined) return outcome;
  if (isArtifact(runtime, outcome.outputJson.length)) return outcome;
  const { name: workflow } = compiled.workflow.document;
  const entry = { key, workflow, ...about, output: outcome.outputJson, ttlMs: cache.ttlMs };
  await storeCached(db, entry).catch(tell);
  return outcome;
}

/** What makes two attempts ask the same: the task, and the key it gives; without one what is run, with its input and environment. */
function keyOf(
  { task, compiled, scope }: Asked,
  template: Template | undefined,
  { program, env, files }: ReturnType<typeof prepare>,
): string {
  const asked =
    template === undefined ? { program, env, ...contentsOf(files) } : { key: evaluateTemplate(template, scope) };
  return fingerprint({ workflow: compiled.workflow.document.name, task: task.key, ...asked });
}

/** Files are the same when their bytes are, whoever made them. */
function contentsOf(files: ReturnType<typeof prepare>['files']): { files?: Record<string, string> } {
  if (files === undefined) return {};
  return { files: Object.fromEntries(Object.entries(files).map(([name, { sha256 }]) => [name, sha256])) };
}
