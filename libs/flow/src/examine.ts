import { fault, pointerOf, type Fault, type TaskDocument, type WorkflowDocument } from '@lattice/contracts';
import { templateReferences, type References, type Template } from '@lattice/expression';
import { armsOf, markJoins } from './arms';
import { findCycles } from './cycle';
import { defaultFaults } from './inputs';
import { placeInTask, placeInValue } from './place';
import type { KnownNames } from './references';
import type { ResourceClass } from './resource-class';
import { readTask, type TaskDefinition } from './task';
import { readTemplate } from './task-parts';

/** Everything that a schema cannot see: expressions, what they refer to, dependencies, cycles. */
export function examine(
  document: WorkflowDocument,
  known: KnownNames,
): { tasks: Map<string, TaskDefinition>; outputs: Template; faults: Fault[] } {
  const faults: Fault[] = [];
  const tasks = new Map<string, TaskDefinition>();
  const arms = armsOf(document);
  const classes = new Map<string, ResourceClass>();
  for (const [key, task] of Object.entries(document.tasks)) {
    tasks.set(key, readTask({ key, task, document, arms: arms.get(key) ?? [], faults, classes, examine }));
  }
  const outputs = readTemplate(document.outputs ?? {}, ['outputs'], faults);
  const graph = dependencyFaults(document, tasks, known);
  faults.push(
    ...graph,
    ...armFaults(arms, known),
    ...defaultFaults(document),
    ...inputFaults(document, tasks, known),
    ...outputInputFaults(document, outputs, known),
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
  const message = 'each is known only within the body of a map or loop';
  const users = [...tasks.values()]
    .filter(({ references }) => references.each)
    .map(({ key }) => ['tasks', key, ...placeInTask(document.tasks[key], ({ each }) => each)]);
  if (templateReferences(outputs).each) users.push(placeInOutputs(document, ({ each }) => each));
  return users.map((path) => fault('unreachable_reference', pointerOf(path), message));
}

function outputFaults(document: WorkflowDocument, outputs: Template, known: KnownNames): Fault[] {
  return [...templateReferences(outputs).tasks]
    .filter((key) => !known.tasks.has(key) && document.within?.tasks.includes(key) !== true)
    .map((key) => {
      const pointer = pointerOf(placeInOutputs(document, ({ tasks }) => tasks.has(key)));
      return fault('unreachable_reference', pointer, `outputs refer to task "${key}", which is not in the document`);
    });
}

function placeInOutputs(document: WorkflowDocument, refers: (references: References) => boolean): (string | number)[] {
  return [...(placeInValue(document.outputs, refers, ['outputs']) ?? ['outputs'])];
}

function dependencyFaults(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, TaskDefinition>,
  known: KnownNames,
): Fault[] {
  const faults: Fault[] = [];
  for (const task of tasks.values()) {
    faults.push(...twiceFaults(task.key, document.tasks[task.key]?.needs));
    for (const need of task.needs) {
      if (known.tasks.has(need)) continue;
      const pointer = pointerOf(['tasks', task.key, ...placeOfNeed(document.tasks[task.key], need)]);
      faults.push(
        fault('unknown_dependency', pointer, `task "${task.key}" depends on "${need}", which is not in the document`),
      );
    }
  }
  for (const cycle of findCycles(new Map([...tasks].map(([key, task]) => [key, task.needs])))) {
    faults.push(fault('cycle', pointerOf(['tasks', cycle[0] ?? '']), `the tasks form a cycle: ${cycle.join(' -> ')}`));
  }
  return faults;
}

/** A name that comes twice may well be meant to be another one. */
function twiceFaults(key: string, needs: TaskDocument['needs']): Fault[] {
  if (!Array.isArray(needs)) return [];
  return needs.flatMap((need, index) =>
    needs.indexOf(need) === index
      ? []
      : [fault('duplicate', pointerOf(['tasks', key, 'needs', index]), `task "${key}" needs "${need}" twice`)],
  );
}

/** Where a task names the one it depends on: in `needs`, or where it refers to it. */
function placeOfNeed(task: TaskDocument | undefined, need: string): readonly (string | number)[] {
  const needs = task?.needs;
  if (needs === need) return ['needs'];
  const index = Array.isArray(needs) ? needs.indexOf(need) : -1;
  return index < 0 ? placeInTask(task, ({ tasks }) => tasks.has(need)) : ['needs', index];
}

function inputFaults(
  document: WorkflowDocument,
  tasks: ReadonlyMap<string, TaskDefinition>,
  known: KnownNames,
): Fault[] {
  return [...tasks.values()].flatMap(({ key, references }) =>
    undeclared(references, known).map((name) => {
      const place = placeInTask(document.tasks[key], ({ inputs }) => inputs.has(name));
      return undeclaredFault(['tasks', key, ...place], name);
    }),
  );
}

function outputInputFaults(document: WorkflowDocument, outputs: Template, known: KnownNames): Fault[] {
  return undeclared(templateReferences(outputs), known).map((name) =>
    undeclaredFault(
      placeInOutputs(document, ({ inputs }) => inputs.has(name)),
      name,
    ),
  );
}

function undeclared(references: References, known: KnownNames): string[] {
  return [...references.inputs].filter((name) => !known.inputs.has(name));
}

function undeclaredFault(path: readonly (string | number)[], name: string): Fault {
  return fault('unreachable_reference', pointerOf(path), `inputs.${name} is not declared under inputs`);
}
