import { bullPriority, type Waiting } from '@lattice/queue';

/** A class that has jobs for so long without getting room has room made for it. */
const PATIENCE_MS = 1_000;
/** A class without room is looked into at most so often. */
const LOOK_MS = 500;

/** What there is too little of for a class: CPUs, memory and slots, or GPUs. */
export type Lack = 'room' | 'gpus';

interface Blocked {
  readonly since: number;
  lacks: Lack;
  /** Since when it lacks that. */
  lacksSince: number;
  lookedAt: number;
  /** What waits in it, as of the last look; undefined before the first. */
  waiting: Waiting | undefined;
}

/** A class that wants room, or to go on. */
interface Asking {
  readonly className: string;
  readonly usesGpus: boolean;
}

/**
 * Whose turn it is when there is not room for all: classes whose jobs wait for room, by priority and then by how long they wait.
 * For the one that is first too long already, room is kept, so that many small needs can't starve a big one.
 */
export class Turns {
  private readonly blocked = new Map<string, Blocked>();

  constructor(private readonly look: (className: string) => Promise<Waiting>) {}

  /** A class that may have jobs lacks something. */
  noRoom(className: string, lacks: Lack): void {
    const now = performance.now();
    const known = this.blocked.get(className);
    const entry = known ?? {
      since: now,
      lacks,
      lacksSince: now,
      lookedAt: Number.NEGATIVE_INFINITY,
      waiting: undefined,
    };
    if (known === undefined) this.blocked.set(className, entry);
    else if (known.lacks !== lacks) Object.assign(known, { lacks, lacksSince: now });
    if (now - entry.lookedAt < LOOK_MS) return;
    entry.lookedAt = now;
    this.look(className).then(
      (waiting) => {
        if (waiting.ids.length > 0 || waiting.due) entry.waiting = waiting;
        else if (this.blocked.get(className) === entry) this.blocked.delete(className);
      },
      // A class that can't be looked into now keeps its place.
      () => undefined,
    );
  }

  /** A class got room, has nothing waiting, or is not for this worker now. */
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

  /** The class that room is kept for now, if not the one that asks. What lacks GPUs alone needs no room kept but by those that take GPUs. */
  keepFor({ className, usesGpus }: Asking): string | undefined {
    if (this.blocked.size === 0) return undefined;
    const now = performance.now();
    const [first] = this.inOrder().filter(
      ([, entry]) => stands(entry, usesGpus) && now - entry.lacksSince >= PATIENCE_MS,
    );
    return first === undefined || first[0] === className ? undefined : first[0];
  }

  /** True when a class should give up its place after a job of this priority (lower is first, as the queue has it). */
  yields({ className, usesGpus }: Asking, priority: number | undefined): boolean {
    if (this.blocked.size === 0) return false;
    const now = performance.now();
    return this.inOrder().some(
      ([name, entry]) =>
        name !== className &&
        stands(entry, usesGpus) &&
        (now - entry.lacksSince >= PATIENCE_MS || priorityOf(entry) < (priority ?? 0)),
    );
  }

  /** Those of which it is known that something waits. */
  private inOrder(): [string, Blocked][] {
    return [...this.blocked]
      .filter(([, { waiting }]) => waiting !== undefined)
      .sort(([, a], [, b]) => priorityOf(a) - priorityOf(b) || a.since - b.since);
  }
}

/** Whether a class that waits is in the way of one that asks: giving up CPUs does not help who lacks GPUs. */
function stands({ lacks }: Blocked, usesGpus: boolean): boolean {
  return lacks === 'room' || usesGpus;
}

/** That of jobs which were put aside is not known before they are taken: they count as usual ones. */
function priorityOf({ waiting }: Blocked): number {
  return waiting?.priority ?? bullPriority(0);
}
