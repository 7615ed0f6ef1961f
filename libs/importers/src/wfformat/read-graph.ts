import { fault, type Fault } from '@lattice/contracts';
import { FaultList } from '../fault-list';
import type { WfTask } from './read-file';

/** Who waits for whom, by the position of tasks in the file. */
export interface WfGraph {
  /** Of each task those that it waits for, each once: first those of its `parents`, then those that name it as a child. */
  readonly parents: readonly (readonly number[])[];
  readonly edges: number;
  /** Edges that only one of the two tasks names. */
  readonly oneSided: number;
  /** References that give the name of a task instead of its id. */
  readonly byName: number;
  /** Empty texts where an id should be; the schema allows them, and they name nobody. */
  readonly empty: number;
}

type ReadGraph = { readonly graph: WfGraph; readonly faults: FaultList };

/** Takes the edges of `parents` and `children` together. Faults: ids given twice, unknown or ambiguous references, cycles. */
export function readGraph(tasks: readonly WfTask[]): ReadGraph {
  const faults = new FaultList();
  const resolver = newResolver(tasks, faults);
  const down = tasks.map((task, index) => resolver.all(index, task.parents, 'parents'));
  const named: Set<number>[] = tasks.map(() => new Set());
  tasks.forEach((task, index) => {
    for (const child of resolver.all(index, task.children, 'children')) named[child]?.add(index);
  });
  let oneSided = 0;
  const parents = down.map((own, index) => {
    const theirs = named[index] ?? new Set();
    const both = new Set([...own, ...theirs]);
    oneSided += 2 * both.size - own.size - theirs.size;
    return [...both];
  });
  const cycle = findCycle(parents);
  if (cycle !== undefined) faults.add(cycleFault(cycle, tasks));
  const edges = parents.reduce((sum, { length }) => sum + length, 0);
  return { graph: { parents, edges, oneSided, byName: resolver.byName(), empty: resolver.empty() }, faults };
}

interface Resolver {
  /** The tasks that a list means; what it can't find is a fault. */
  all(index: number, references: readonly string[], field: 'parents' | 'children'): Set<number>;
  byName(): number;
  empty(): number;
}

function newResolver(tasks: readonly WfTask[], faults: FaultList): Resolver {
  const ids = indexIds(tasks, faults);
  const names = indexNames(tasks);
  const counts = { byName: 0, empty: 0 };
  const find = (reference: string): number | 'several' | undefined => {
    const byId = ids.get(reference);
    if (byId !== undefined) return byId;
    const byName = names.get(reference);
    if (byName !== undefined) counts.byName += 1;
    return byName;
  };
  return {
    all: (index, references, field) => {
      const found = new Set<number>();
      const missed = new Set<string>();
      references.forEach((reference, position) => {
        if (reference === '') counts.empty += 1;
        const task = reference === '' ? -1 : find(reference);
        if (typeof task === 'number') {
          if (task >= 0) found.add(task);
        } else if (!missed.has(reference)) {
          missed.add(reference);
          faults.add(unresolved({ task: tasks[index], reference, field, position, several: task === 'several' }));
        }
      });
      return found;
    },
    byName: () => counts.byName,
    empty: () => counts.empty,
  };
}

function indexIds(tasks: readonly WfTask[], faults: FaultList): Map<string, number> {
  const ids = new Map<string, number>();
  tasks.forEach(({ id, pointer }, index) => {
    const first = ids.get(id);
    if (first === undefined) ids.set(id, index);
    else
      faults.add(
        fault('duplicate', `${pointer}/id`, `the id "${shorten(id)}" is that of ${tasks[first]?.pointer ?? ''} too`),
      );
  });
  return ids;
}

function indexNames(tasks: readonly WfTask[]): Map<string, number | 'several'> {
  const names = new Map<string, number | 'several'>();
  tasks.forEach(({ name }, index) => {
    if (name !== undefined) names.set(name, names.has(name) ? 'several' : index);
  });
  return names;
}

interface Unresolved {
  readonly task: WfTask | undefined;
  readonly reference: string;
  readonly field: 'parents' | 'children';
  readonly position: number;
  readonly several: boolean;
}

function unresolved({ task, reference, field, position, several }: Unresolved): Fault {
  const role = field === 'parents' ? 'parent' : 'child';
  const why = several ? 'which is the name of several tasks: give an id' : 'which is not in the file';
  const message = `task "${shorten(task?.id ?? '')}" has the ${role} "${shorten(reference)}", ${why}`;
  return fault('unknown_dependency', `${task?.pointer ?? ''}/${field}/${position}`, message);
}

/**
 * A cycle, from parent to child, its first task again at the end; undefined when there is none. Tasks whose parents are
 * all done are taken away; each one that is left has a parent that is left, so that going upward from any comes round.
 */
function findCycle(parents: WfGraph['parents']): number[] | undefined {
  const left = stuck(parents);
  const start = left.findIndex((isLeft) => isLeft);
  if (start === -1) return undefined;
  const path: number[] = [];
  const seen = new Map<number, number>();
  let at = start;
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = parents[at]?.find((parent) => left[parent]) ?? at;
  }
  return [at, ...path.slice(seen.get(at)).reverse()];
}

/** Which tasks never come up when each waits for its parents. */
function stuck(parents: WfGraph['parents']): boolean[] {
  const children: number[][] = parents.map(() => []);
  parents.forEach((list, child) => list.forEach((parent) => children[parent]?.push(child)));
  const waiting = parents.map(({ length }) => length);
  const left = parents.map(() => true);
  const ready = [...waiting.keys()].filter((index) => waiting[index] === 0);
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    left[next] = false;
    for (const child of children[next] ?? []) {
      const count = (waiting[child] ?? 0) - 1;
      waiting[child] = count;
      if (count === 0) ready.push(child);
    }
  }
  return left;
}

/** Of a long cycle the beginning is shown. */
const SHOWN = 20;

function cycleFault(cycle: readonly number[], tasks: readonly WfTask[]): Fault {
  const ids = cycle.map((index) => shorten(tasks[index]?.id ?? ''));
  const text = ids.length <= SHOWN ? ids : [...ids.slice(0, SHOWN), `... (${ids.length - 1} tasks)`];
  return fault('cycle', tasks[cycle[0] ?? 0]?.pointer ?? '', `the tasks form a cycle: ${text.join(' -> ')}`);
}

function shorten(id: string): string {
  return id.length <= 100 ? id : `${id.slice(0, 100)}...`;
}
