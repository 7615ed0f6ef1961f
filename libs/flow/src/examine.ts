import { fault, pointerOf, type Fault, type WorkflowDocument } from '@lattice/contracts';
import { templateReferences, type Template } from '@lattice/expression';
import { findCycle } from './cycle';
import { readTask, type TaskDefinition } from './task';
import { readTemplate } from './task-parts';

/** The names that a document may refer to. */
export interface KnownNames {
  readonly tasks: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
}

/** Everything that a schema cannot see: expressions, what they refer to, dependencies, cycles. */
export function examine(
  document: WorkflowDocument,
  known: KnownNames,
): { tasks: Map<string, TaskDefinition>; outputs: Template; faults: Fault[] } {
  const faults: Fault[] = [];
  const tasks = new Map<string, TaskDefinition>();
  for (const [key, task] of Object.entries(document.tasks)) {
    const read = readTask({ key, task, document, faults });
    if (read !== undefined) tasks.set(key, read);
  }
  const outputs = readTemplate(document.outputs ?? {}, ['outputs'], faults);
  faults.push(
    ...dependencyFaults(document, tasks, known),
    ...inputFaults(tasks, outputs, known),
    ...outputFaults(outputs, known),
  );
  return { tasks, outputs, faults };
}

function outputFaults(outputs: Template, known: KnownNames): Fault[] {
  return [...templateReferences(outputs).tasks]
    .filter((key) => !known.tasks.has(key))
    .map((key) =>
      fault('unreachable_reference', '/outputs', `outputs refer to task "${key}", which is not in the document`),
    );
}

function dependencyFaults(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, TaskDefinition>,
  known: KnownNames,
): Fault[] {
  const faults: Fault[] = [];
  for (const task of tasks.values()) {
    for (const need of task.needs) {
      if (known.tasks.has(need)) continue;
      const pointer = pointerOf(['tasks', task.key, ...placeOfNeed(document.tasks[task.key]?.needs, need)]);
      faults.push(
        fault('unknown_dependency', pointer, `task "${task.key}" depends on "${need}", which is not in the document`),
      );
    }
  }
  const cycle = findCycle(new Map([...tasks].map(([key, task]) => [key, task.needs])));
  if (cycle !== undefined) {
    faults.push(fault('cycle', pointerOf(['tasks', cycle[0] ?? '']), `the tasks form a cycle: ${cycle.join(' -> ')}`));
  }
  return faults;
}

/** Where `needs` names the task; a dependency found from a reference is told at the task. */
function placeOfNeed(needs: string | string[] | undefined, need: string): (string | number)[] {
  if (needs === need) return ['needs'];
  const index = Array.isArray(needs) ? needs.indexOf(need) : -1;
  return index < 0 ? [] : ['needs', index];
}

function inputFaults(tasks: ReadonlyMap<string, TaskDefinition>, outputs: Template, known: KnownNames): Fault[] {
  const users = [
    ...[...tasks.values()].map((task) => ({ pointer: pointerOf(['tasks', task.key]), inputs: task.references.inputs })),
    { pointer: '/outputs', inputs: templateReferences(outputs).inputs },
  ];
  return users.flatMap(({ pointer, inputs }) =>
    [...inputs]
      .filter((name) => !known.inputs.has(name))
      .map((name) => fault('unreachable_reference', pointer, `inputs.${name} is not declared under inputs`)),
  );
}
