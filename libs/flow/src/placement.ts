import {
  fault,
  parseDuration,
  pointerOf,
  type Batch,
  type BatchRules,
  type Fault,
  type LabelRule,
  type Place,
  type TaskDocument,
  type WorkflowDocument,
} from '@lattice/contracts';
import type { Template } from '@lattice/expression';
import { readTemplate } from './task-parts';

/** Where tasks of a class would rather run: each rule that a worker meets counts with its weight. */
export interface Preference {
  readonly rules: readonly { readonly runsOn: Readonly<Record<string, LabelRule>>; readonly weight: number }[];
  /** Milliseconds that a worker which meets nothing leaves a task to others. */
  readonly waitMs: number;
}

/** How many tasks of a class one call does, and how long the first of them waits for others, in milliseconds. */
export interface Batching {
  readonly size: number;
  readonly timeoutMs: number;
}

/** What places a task beyond what it needs. */
export interface Placement {
  readonly prefer?: Preference;
  readonly place?: Place;
  readonly batch?: Batching;
}

const PREFER_WAIT = '2s';
const BATCH_TIMEOUT = '50ms';

/** What a task says of its placement, with the defaults of the document; `batchKey` is a template. Faults are added to `faults`. */
export function readPlacement(reading: {
  key: string;
  task: TaskDocument;
  document: WorkflowDocument;
  /** Kind of the task. */
  uses: string;
  faults: Fault[];
}): { placement: Placement; batchKey: Template | undefined } {
  const { key, task, uses, faults } = reading;
  const defaults = reading.document.defaults ?? {};
  if (task.batch !== undefined && uses !== 'handler') {
    const message = `batches are made of handler tasks, "${key}" uses ${uses}`;
    faults.push(fault('bad_value', pointerOf(['tasks', key, 'batch']), message));
  }
  const batch = uses === 'handler' ? (task.batch ?? ruleFor(key, defaults.batch ?? [])) : undefined;
  const prefer = task.prefer ?? defaults.prefer;
  const place = task.place ?? defaults.place;
  return {
    placement: {
      ...(prefer === undefined
        ? {}
        : { prefer: { rules: prefer, waitMs: milliseconds(task.preferWait ?? defaults.preferWait ?? PREFER_WAIT) } }),
      ...(place === undefined ? {} : { place }),
      ...(batch === undefined
        ? {}
        : { batch: { size: batch.size, timeoutMs: milliseconds(batch.timeout ?? BATCH_TIMEOUT) } }),
    },
    batchKey: batch === undefined ? undefined : readTemplate(batch.key ?? '', ['tasks', key, 'batch', 'key'], faults),
  };
}

function milliseconds(duration: string | 0): number {
  return duration === 0 ? 0 : (parseDuration(duration) ?? 0);
}

/** The first rule that a task key fits. */
function ruleFor(key: string, rules: BatchRules): Batch | undefined {
  return rules.find((rule) => {
    if ('exact' in rule) return rule.exact === key;
    if ('prefix' in rule) return key.startsWith(rule.prefix);
    return new RegExp(rule.regex, 'u').test(key);
  });
}
