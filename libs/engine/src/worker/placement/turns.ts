import type { Waiting } from '@lattice/queue';

/** A class that has jobs for so long without getting room has room made for it. */
const PATIENCE_MS = 1_000;
/** A class without room is looked into at most so often. */
const LOOK_MS = 500;

interface Blocked {
  readonly since: number;
  lookedAt: number;
  /** What waits in it, as of the last look; undefined before the first. */
  waiting: Waiting | undefined;
}

/**
 * Whose turn it is when there is not room for all: classes whose jobs wait for room, by priority and then by how long they wait.
 * For the one that is first too long already, room is kept, so that many small needs can't starve a big one.
 */
export class Turns {
  private readonly blocked = new Map<string, Blocked>();

  constructor(private readonly look: (className: string) => Promise<Waiting>) {}

  /** A class that may have jobs found no room. */
  noRoom(className: string): void {
    const now = performance.now();
    const known = this.blocked.get(className);
    const entry = known ?? { since: now, lookedAt: Number.NEGATIVE_INFINITY, waiting: undefined };
    if (known === undefined) this.blocked.set(className, entry);
    if (now - entry.lookedAt < LOOK_MS) return;
    entry.lookedAt = now;
    this.look(className).then(
      (waiting) => {
        if (waiting.ids.length > 0) entry.waiting = waiting;
        else if (this.blocked.get(className) === entry) this.blocked.delete(className);
      },
      // A class that can't be looked into now keeps its place.
      () => undefined,
    );
  }

  /** A class got room, or has nothing waiting. */
  done(className: string): void {
    if (this.blocked.size > 0) this.blocked.delete(className);
  }

  /** Classes that wait for room first, in the order of their turns. */
  order(classNames: Iterable<string>): string[] {
    const names = [...classNames];
    if (this.blocked.size === 0) return names;
    const turn = new Map(this.inOrder().map(([name], index) => [name, index]));
    return names.sort((a, b) => (turn.get(a) ?? names.length) - (turn.get(b) ?? names.length));
  }

  /** The class that room is kept for now, if not the one that asks. */
  keepFor(className: string): string | undefined {
    if (this.blocked.size === 0) return undefined;
    const now = performance.now();
    const [first] = this.inOrder().filter(([, { since }]) => now - since >= PATIENCE_MS);
    return first === undefined || first[0] === className ? undefined : first[0];
  }

  /** True when a class should give up its place after a job of this priority (lower is first, as the queue has it). */
  yields(className: string, priority: number | undefined): boolean {
    if (this.blocked.size === 0) return false;
    const now = performance.now();
    return this.inOrder().some(
      ([name, { since, waiting }]) =>
        name !== className && (now - since >= PATIENCE_MS || (waiting?.priority ?? 0) < (priority ?? 0)),
    );
  }

  /** Those of which it is known that something waits. */
  private inOrder(): [string, Blocked][] {
    return [...this.blocked]
      .filter(([, { waiting }]) => waiting !== undefined)
      .sort(([, a], [, b]) => (a.waiting?.priority ?? 0) - (b.waiting?.priority ?? 0) || a.since - b.since);
  }
}
