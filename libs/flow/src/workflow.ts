import {
  LatticeError,
  MAX_TASKS,
  documentSchema,
  fault,
  faultsOf,
  pointerOf,
  type Fault,
  type OnFailure,
  type WorkflowDocument,
} from '@lattice/contracts';
import { templateReferences, type Template } from '@lattice/expression';
import { findCycle } from './cycle';
import { fingerprint } from './fingerprint';
import { shapeFaults } from './parse';
import { readTask, type TaskDefinition } from './task';
import { readTemplate, unknownUses } from './task-parts';

/** A valid document, ready to be compiled and run. */
export interface Workflow {
  readonly document: WorkflowDocument;
  /** Identity of the document: equal documents have equal fingerprints. */
  readonly sha: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly outputs: Template;
  readonly onFailure: OnFailure;
  /** False when every task of a chain is to be a job of its own. */
  readonly fuse: boolean;
}

export type ReadDocument =
  { readonly ok: true; readonly workflow: Workflow } | { readonly ok: false; readonly faults: Fault[] };

/** Checks a document as a whole. All faults come together, each with its pointer. Never throws on bad input. */
export function readDocument(value: unknown): ReadDocument {
  const shape = shapeFaults(value);
  if (shape.length > 0) return { ok: false, faults: shape };
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) return { ok: false, faults: [...faultsOf(parsed.error), ...usesFaults(value)] };
  const document = parsed.data;
  const faults: Fault[] = countFaults(document);
  const tasks = new Map<string, TaskDefinition>();
  for (const [key, task] of Object.entries(document.tasks)) {
    const read = readTask({ key, task, document, faults });
    if (read !== undefined) tasks.set(key, read);
  }
  const outputs = readTemplate(document.outputs ?? {}, ['outputs'], faults);
  faults.push(...dependencyFaults(document, tasks), ...inputFaults(document, tasks, outputs));
  for (const key of templateReferences(outputs).tasks) {
    if (!Object.hasOwn(document.tasks, key)) {
      faults.push(
        fault('unreachable_reference', '/outputs', `outputs refer to task "${key}", which is not in the document`),
      );
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  const workflow: Workflow = {
    document,
    sha: fingerprint(document),
    tasks,
    outputs,
    onFailure: document.onFailure ?? 'cancel',
    fuse: document.fuse ?? true,
  };
  return { ok: true, workflow };
}

/** {@link readDocument} for a document that was valid when it was stored; throws LatticeError `invalid_document` if it is not. */
export function mustReadDocument(value: unknown): Workflow {
  const read = readDocument(value);
  if (read.ok) return read.workflow;
  throw new LatticeError('invalid_document', 'a stored document is not valid', { faults: read.faults });
}

function countFaults(document: WorkflowDocument): Fault[] {
  const count = Object.keys(document.tasks).length;
  if (count === 0) return [fault('no_tasks', '/tasks', 'the workflow has no task')];
  if (count > MAX_TASKS)
    return [fault('too_many_tasks', '/tasks', `the workflow has ${count} tasks; ${MAX_TASKS} are the most`)];
  return [];
}

/** Unknown `uses` are told together with the faults of the schema, not after these are mended. */
function usesFaults(value: unknown): Fault[] {
  const tasks = typeof value === 'object' && value !== null && 'tasks' in value ? value.tasks : undefined;
  if (typeof tasks !== 'object' || tasks === null) return [];
  return Object.entries(tasks).flatMap(([key, task]: [string, unknown]) => {
    const uses = typeof task === 'object' && task !== null && 'uses' in task ? task.uses : undefined;
    return typeof uses === 'string' ? unknownUses(uses, key) : [];
  });
}

function dependencyFaults(document: WorkflowDocument, tasks: ReadonlyMap<string, TaskDefinition>): Fault[] {
  const faults: Fault[] = [];
  for (const task of tasks.values()) {
    for (const need of task.needs) {
      if (Object.hasOwn(document.tasks, need)) continue;
      const pointer = pointerOf(['tasks', task.key]);
      faults.push(
        fault('unknown_dependency', pointer, `task "${task.key}" depends on "${need}", which is not in the document`),
      );
    }
  }
  if (faults.length > 0) return faults;
  const cycle = findCycle(new Map([...tasks].map(([key, task]) => [key, task.needs])));
  return cycle === undefined
    ? []
    : [fault('cycle', pointerOf(['tasks', cycle[0] ?? '']), `the tasks form a cycle: ${cycle.join(' -> ')}`)];
}

function inputFaults(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, TaskDefinition>,
  outputs: Template,
): Fault[] {
  const declared = document.inputs ?? {};
  const users = [
    ...[...tasks.values()].map((task) => ({ pointer: pointerOf(['tasks', task.key]), inputs: task.references.inputs })),
    { pointer: '/outputs', inputs: templateReferences(outputs).inputs },
  ];
  return users.flatMap(({ pointer, inputs }) =>
    [...inputs]
      .filter((name) => !Object.hasOwn(declared, name))
      .map((name) => fault('unreachable_reference', pointer, `inputs.${name} is not declared under inputs`)),
  );
}
