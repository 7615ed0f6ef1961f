import {
  fault,
  parseDuration,
  pointerOf,
  type ConcurrencyPolicy,
  type Fault,
  type WorkflowDocument,
} from '@lattice/contracts';
import { evaluateTemplate, templateReferences, type Scope, type Template } from '@lattice/expression';
import type { KnownNames } from './references';
import { canonicalJson, fingerprint } from './fingerprint';
import { readTemplate } from './task-parts';

/** What limits the runs of a workflow, its expressions parsed. A key that is absent makes all runs of the workflow share the limit. */
export interface RunLimits {
  readonly concurrency:
    { readonly key: Template | undefined; readonly limit: number; readonly policy: ConcurrencyPolicy } | undefined;
  readonly rateLimit:
    { readonly key: Template | undefined; readonly limit: number; readonly perMs: number } | undefined;
  readonly fairShare: { readonly key: Template | undefined; readonly weight: number } | undefined;
}

/** The limits of one run, each with its name: runs with equal names share it. Names go by the workflow and the value of the key. */
export interface Limiters {
  readonly concurrency:
    { readonly name: string; readonly limit: number; readonly policy: ConcurrencyPolicy } | undefined;
  readonly rate: { readonly name: string; readonly limit: number; readonly perMs: number } | undefined;
  readonly fair: { readonly name: string; readonly limit: number } | undefined;
}

/**
 * So many runs of a group may wait for their first attempt in the queues of the workers, times its weight; the others wait before
 * them. Each group has the same number in a queue that is first in, first out: so they take turns. Enough to keep workers
 * busy while the next ones are let in, and not so many that others wait long behind them.
 */
export const FAIR_WINDOW = 10;
/** A longer value of a key goes by its hash. */
const MOST_CHARACTERS = 200;

/** Reads the limits of a document; their keys may refer to inputs and the run, not to tasks. */
export function readLimits(
  document: WorkflowDocument,
  known: KnownNames,
): { limits: RunLimits | undefined; faults: Fault[] } {
  const faults: Fault[] = [];
  const { concurrency, rateLimit, fairShare } = document;
  const read = (field: string, key: string | undefined): Template | undefined =>
    key === undefined ? undefined : readKey([field, 'key'], key, known, faults);
  if (concurrency === undefined && rateLimit === undefined && fairShare === undefined)
    return { limits: undefined, faults };
  const limits: RunLimits = {
    concurrency: concurrency && {
      key: read('concurrency', concurrency.key),
      limit: concurrency.limit ?? 1,
      policy: concurrency.policy ?? 'queue',
    },
    rateLimit: rateLimit && {
      key: read('rateLimit', rateLimit.key),
      limit: rateLimit.limit,
      perMs: parseDuration(rateLimit.per) ?? 0,
    },
    fairShare: fairShare && { key: read('fairShare', fairShare.key), weight: fairShare.weight ?? 1 },
  };
  return { limits, faults };
}

function readKey(path: readonly string[], key: string, known: KnownNames, faults: Fault[]): Template {
  const template = readTemplate(key, path, faults);
  const { tasks, inputs } = templateReferences(template);
  for (const task of tasks) {
    const message = `tasks.${task} is not known yet when a run is let in: refer to inputs`;
    faults.push(fault('unreachable_reference', pointerOf(path), message));
  }
  for (const name of inputs) {
    if (known.inputs.has(name)) continue;
    faults.push(fault('unreachable_reference', pointerOf(path), `inputs.${name} is not declared under inputs`));
  }
  return template;
}

/** The limiters of a run. Throws LatticeError `expression_failed` when a key can't be evaluated with its inputs. */
export function limitersOf(limits: RunLimits, run: { workflow: string; scope: Scope }): Limiters {
  const { concurrency, rateLimit, fairShare } = limits;
  const name = (kind: string, key: Template | undefined): string =>
    `${kind}:${run.workflow}:${key === undefined ? '' : textOf(evaluateTemplate(key, run.scope))}`;
  return {
    concurrency: concurrency && {
      name: name('concurrency', concurrency.key),
      limit: concurrency.limit,
      policy: concurrency.policy,
    },
    // A version with another span counts by itself.
    rate: rateLimit && {
      name: name(`rate.${rateLimit.perMs}`, rateLimit.key),
      limit: rateLimit.limit,
      perMs: rateLimit.perMs,
    },
    fair: fairShare && { name: name('fair', fairShare.key), limit: FAIR_WINDOW * fairShare.weight },
  };
}

/** A value of a key as text that Postgres can hold: NUL and half characters go by the hash, as long texts do. */
function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return text.length > MOST_CHARACTERS || /[\0\p{Surrogate}]/u.test(text) ? `#${fingerprint(text)}` : text;
}
