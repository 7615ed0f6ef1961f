import type { TaskDefinition } from './task';

/** Every task after its dependencies; among the free ones in the order of the document. */
export function topologicalOrder(tasks: ReadonlyMap<string, TaskDefinition>): TaskDefinition[] {
  const waiting = new Map([...tasks].map(([key, task]) => [key, task.needs.length]));
  const dependents = dependentsOf(tasks);
  const order = [...tasks.values()].filter((task) => task.needs.length === 0);
  for (const task of order) {
    for (const key of dependents.get(task.key) ?? []) {
      const left = (waiting.get(key) ?? 0) - 1;
      waiting.set(key, left);
      const dependent = tasks.get(key);
      if (left === 0 && dependent !== undefined) order.push(dependent);
    }
  }
  return order;
}

/** The tasks that need each task, in the order of the document. */
export function dependentsOf(tasks: ReadonlyMap<string, TaskDefinition>): Map<string, string[]> {
  const dependents = new Map<string, string[]>();
  for (const task of tasks.values()) {
    for (const need of task.needs) {
      const list = dependents.get(need);
      if (list === undefined) dependents.set(need, [task.key]);
      else list.push(task.key);
    }
  }
  return dependents;
}
