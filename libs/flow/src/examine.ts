import { fault, pointerOf, type Fault, type WorkflowDocument } from '@lattice/contracts';
import { templateReferences, type Template } from '@lattice/expression';
import { armsOf, markJoins } from './arms';
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
  const arms = armsOf(document);
  for (const [key, task] of Object.entries(document.tasks)) {
    const read = readTask({ key, task, document, arms: arms.get(key) ?? [], faults, examine });
    if (read !== undefined) tasks.set(key, read);
  }
  const outputs = readTemplate(document.outputs ?? {}, ['outputs'], faults);
  const graph = dependencyFaults(document, tasks, known);
  faults.push(
    ...graph,
    ...armFaults(arms, known),
    ...inputFaults(tasks, outputs, known),
    ...outputFaults(document, outputs, known),
    ...roundFaults(document, tasks, outputs),
  );
  return { tasks: graph.length > 0 ? tasks : markJoins(tasks), outputs, faults };
}

function armFaults(arms: ReadonlyMap<string, readonly string[]>, known: KnownNames): Fault[] {
  return [...arms].flatMap(([name, switches]) =>
    known.tasks.has(name)
      ? []
      : switches.map((key) => {
          const message = `switch "${key}" has "${name}" in an arm, which is not in the document`;
          return fault('unknown_dependency', pointerOf(['tasks', key, 'with']), message);
        }),
  );
}

/** `each` tells of the round of a map or loop; outside of a body there is none. */
function roundFaults(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, TaskDefinition>,
  outputs: Template,
): Fault[] {
  if (document.within !== undefined) return [];
  const users = [
    ...[...tasks.values()].map(({ key, references }) => ({ pointer: pointerOf(['tasks', key]), references })),
    { pointer: '/outputs', references: templateReferences(outputs) },
  ];
  return users.flatMap(({ pointer, references }) =>
    references.each
      ? [fault('unreachable_reference', pointer, 'each is known only within the body of a map or loop')]
      : [],
  );
}

function outputFaults(document: WorkflowDocument, outputs: Template, known: KnownNames): Fault[] {
  return [...templateReferences(outputs).tasks]
    .filter((key) => !known.tasks.has(key) && document.within?.tasks.includes(key) !== true)
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
