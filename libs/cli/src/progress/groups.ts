/** Tasks of one kind, as their names tell: `load_0` to `load_9` are `load`. */
export interface Group<Task> {
  readonly name: string;
  readonly tasks: readonly Task[];
}

interface Named {
  readonly name: string;
}

/** From the finest division to the coarsest; paths are divided by their folders. */
const DIVISIONS: readonly ((name: string) => string)[] = [
  (name) => folderOf(name) ?? name.replace(/[_.-]*\d+$/, ''),
  (name) => name.replace(/[_.-]*\d+(?=[_.-]|$)/g, ''),
  (name) => name.replace(/[_./-].*$/, ''),
  (name) => name.replace(/[_./\d-].*$/, ''),
];

/** `db/` of `db/dump.sh`; undefined of what is no path. */
function folderOf(name: string): string | undefined {
  const end = name.lastIndexOf('/') + 1;
  return end > 1 ? name.slice(0, end) : undefined;
}

/**
 * Divides tasks by their names into at most so many groups, in the order in which they first come. Empty when the names tell nothing:
 * one group would be all, or there would be more than fit.
 */
export function groupsOf<Task extends Named>(tasks: readonly Task[], most: number): Group<Task>[] {
  for (const divide of DIVISIONS) {
    const found = new Map<string, Task[]>();
    for (const task of tasks) {
      const name = divide(task.name) || task.name;
      const group = found.get(name);
      if (group === undefined) found.set(name, [task]);
      else group.push(task);
    }
    if (found.size <= most) return found.size < 2 ? [] : [...found].map(([name, own]) => ({ name, tasks: own }));
  }
  return [];
}
