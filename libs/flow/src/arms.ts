import { switchWithSchema, type WorkflowDocument } from '@lattice/contracts';
import { topologicalOrder } from './order';
import type { TaskDefinition } from './task';

/** Tasks that switches name as the beginning of an arm, each with those switches. */
export function armsOf(document: WorkflowDocument): Map<string, string[]> {
  const arms = new Map<string, string[]>();
  for (const [key, task] of Object.entries(document.tasks)) {
    if (task.uses !== 'switch') continue;
    const parsed = switchWithSchema.safeParse(task.with);
    if (!parsed.success) continue;
    const named = [...Object.values(parsed.data.cases), parsed.data.default ?? []].flat();
    for (const name of new Set(named)) arms.set(name, [...(arms.get(name) ?? []), key]);
  }
  return arms;
}

/** The arms of one switch in which a task lies, by their values; `''` is not a value of any. */
type Membership = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds the tasks at which arms of a switch come together: two of its dependencies lie in arms that have nothing in common.
 * Behind a task where all of them have, the switch is over; where some have, the task lies in those, for others may come later.
 * The tasks must form no cycle.
 */
export function markJoins(tasks: ReadonlyMap<string, TaskDefinition>): Map<string, TaskDefinition> {
  const marked = new Map(tasks);
  if (![...tasks.values()].some(({ control }) => control?.kind === 'switch')) return marked;
  const members = new Map<string, Membership>();
  for (const task of topologicalOrder(tasks)) {
    const inherited = collect(task, members);
    const joins: string[][] = [];
    for (const [name, sets] of inherited) {
      if (sets.some((a) => sets.some((b) => areDisjoint(a, b)))) {
        joins.push(task.needs.filter((need) => members.get(need)?.has(name) === true));
        if (coversAll(sets, tasks.get(name)?.control)) inherited.delete(name);
      }
    }
    members.set(task.key, new Map([...union(inherited), ...ownArms(task, tasks)]));
    if (joins.length > 0) marked.set(task.key, { ...task, joins, guarded: true });
  }
  return marked;
}

function collect(task: TaskDefinition, members: ReadonlyMap<string, Membership>): Map<string, ReadonlySet<string>[]> {
  const all = new Map<string, ReadonlySet<string>[]>();
  for (const need of task.needs) {
    for (const [name, cases] of members.get(need) ?? []) all.set(name, [...(all.get(name) ?? []), cases]);
  }
  return all;
}

function union(sets: ReadonlyMap<string, readonly ReadonlySet<string>[]>): [string, ReadonlySet<string>][] {
  return [...sets].map(([name, list]) => [name, new Set(list.flatMap((set) => [...set]))]);
}

function ownArms(task: TaskDefinition, tasks: ReadonlyMap<string, TaskDefinition>): [string, ReadonlySet<string>][] {
  return task.arms.flatMap((name): [string, ReadonlySet<string>][] => {
    const control = tasks.get(name)?.control;
    if (control?.kind !== 'switch') return [];
    const cases = Object.entries(control.cases).flatMap(([value, keys]) =>
      keys.includes(task.key) ? [`=${value}`] : [],
    );
    return [[name, new Set([...cases, ...(control.otherwise.includes(task.key) ? ['default'] : [])])]];
  });
}

function coversAll(sets: readonly ReadonlySet<string>[], control: TaskDefinition['control']): boolean {
  if (control?.kind !== 'switch') return true;
  const arms = Object.keys(control.cases).length + (control.otherwise.length > 0 ? 1 : 0);
  return new Set(sets.flatMap((set) => [...set])).size === arms;
}

function areDisjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].every((value) => !b.has(value));
}
