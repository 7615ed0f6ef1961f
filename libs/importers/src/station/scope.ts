import { taskKeysOf } from '../task-keys';

type Task = Record<string, unknown>;

/** Keys of tasks, each given once in the whole file: bodies of tasks see the tasks around them. */
export class Keys {
  private readonly taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  /** A key for a task that is no state. */
  fresh(wanted: string): string {
    const [key = wanted] = taskKeysOf([wanted.slice(0, 56)]);
    let free = key;
    for (let number = 2; this.taken.has(free); number += 1) free = `${key}_${number}`;
    this.taken.add(free);
    return free;
  }
}

/** The tasks of a document, or of a body within it. */
export class Scope {
  readonly tasks = new Map<string, Task>();
  private item: string | undefined;

  constructor(
    readonly keys: Keys,
    private readonly name: string,
  ) {}

  add(key: string, task: Task): void {
    this.tasks.set(key, task);
  }

  /** What `each` is in this body, for the bodies within it, whose own `each` hides it. */
  each(): string {
    if (this.item === undefined) {
      this.item = this.keys.fresh(`${this.name}_round`);
      this.add(this.item, { uses: 'transform', with: { item: '${{ each.item }}', index: '${{ each.index }}' } });
    }
    return `tasks.${this.item}.output`;
  }

  toTasks(): Record<string, Task> {
    return Object.fromEntries(this.tasks);
  }
}
