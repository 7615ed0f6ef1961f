import {
  LatticeError,
  MAX_TASKS,
  documentSchema,
  fault,
  faultsOf,
  type Fault,
  type OnFailure,
  type WorkflowDocument,
} from '@lattice/contracts';
import type { Template } from '@lattice/expression';
import { examine } from './examine';
import { fingerprint } from './fingerprint';
import { readLimits, type RunLimits } from './limits';
import { shapeFaults } from './parse';
import type { KnownNames } from './references';
import { salvage } from './salvage';
import type { TaskDefinition } from './task';

/** A valid document, ready to be compiled and run. */
export interface Workflow {
  readonly document: WorkflowDocument;
  /** Identity of the document: equal documents have equal fingerprints. */
  readonly sha: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly outputs: Template;
  /** What limits the runs of the workflow; undefined when nothing does. */
  readonly limits: RunLimits | undefined;
  readonly onFailure: OnFailure;
  /** False when every task of a chain is to be a job of its own. */
  readonly fuse: boolean;
}

export type ReadDocument =
  { readonly ok: true; readonly workflow: Workflow } | { readonly ok: false; readonly faults: Fault[] };

/** Checks a document as a whole. All faults come together, each with its pointer. Never throws on bad input. */
export function readDocument(value: unknown): ReadDocument {
  const read = readStored(value);
  if (!read.ok || read.workflow.document.within === undefined) return read;
  const message = 'only the platform says what is around a body';
  return { ok: false, faults: [fault('unknown_field', '/within', message)] };
}

/** {@link readDocument} for all that is stored: bodies of map and loop, too. */
function readStored(value: unknown): ReadDocument {
  const shape = shapeFaults(value);
  if (shape.length > 0) return { ok: false, faults: shape };
  const many = countFaults(value);
  if (many.length > 0) return { ok: false, faults: many };
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    const { document, known } = salvage(value);
    const found = [
      ...faultsOf(parsed.error),
      ...examine(document, known).faults,
      ...readLimits(document, known).faults,
    ];
    return { ok: false, faults: distinct(found) };
  }
  const document = parsed.data;
  const { tasks, outputs, faults } = examine(document, known(document));
  const { limits, faults: limitFaults } = readLimits(document, known(document));
  faults.push(...limitFaults);
  if (faults.length > 0) return { ok: false, faults: distinct(faults) };
  const workflow: Workflow = {
    document,
    sha: fingerprint(document),
    tasks,
    outputs,
    limits,
    onFailure: document.onFailure ?? 'cancel',
    fuse: document.fuse ?? true,
  };
  return { ok: true, workflow };
}

/** Told before everything else: to look at each of too many tasks would take too long. */
function countFaults(value: unknown): Fault[] {
  const tasks = typeof value === 'object' && value !== null && 'tasks' in value ? value.tasks : undefined;
  if (typeof tasks !== 'object' || tasks === null || Array.isArray(tasks)) return [];
  const count = Object.keys(tasks).length;
  if (count === 0) return [fault('no_tasks', '/tasks', 'the workflow has no task')];
  if (count <= MAX_TASKS) return [];
  return [fault('too_many_tasks', '/tasks', `the workflow has ${count} tasks; ${MAX_TASKS} are the most`)];
}

function known(document: WorkflowDocument): KnownNames {
  return { tasks: new Set(Object.keys(document.tasks)), inputs: new Set(Object.keys(document.inputs ?? {})) };
}

/** One fault per code and place: what the schema and the examination both see is told once, and so is what a body and its task do. */
function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((found) => [`${found.code} ${found.pointer}`, found])).values()];
}

/** {@link readDocument} for a document that was valid when it was stored; throws LatticeError `invalid_document` if it is not. */
export function mustReadDocument(value: unknown): Workflow {
  const read = readStored(value);
  if (read.ok) return read.workflow;
  throw new LatticeError('invalid_document', 'a stored document is not valid', { faults: read.faults });
}
