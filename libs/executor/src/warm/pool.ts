import type { Budget, Spender } from './budget';

export interface PoolOptions<T> {
  /** Memory that all that wait may take together, in this pool and in others; 0: nothing is started ahead. */
  budget: Budget;
  bytesOf(key: string): number;
  /** Must not reject. */
  discard(item: T): Promise<void>;
  /** Of one key; more are of no use when nobody could run them at once. */
  mostOfAKey: number;
}

/** What nobody has asked for during this time is closed, in milliseconds. */
const IDLE_MS = 60_000;
const LOOK_MS = 10_000;
/** The task that was just given one gets this head start before processor and event loop are asked to start another: an interpreter needs so long. */
const REFILL_MS = 50;

interface Shelf<T> {
  key: string;
  ready: T[];
  starting: number;
  /** How many to keep ready: grows with each one that was missing, shrinks when nobody asks. */
  target: number;
  start: () => Promise<T>;
  lastUse: number;
}

/**
 * Things that were started ahead of need, by key, each to be used once, within a budget of memory: when that is used up, the key
 * that was not asked for the longest gives way. What can't be started is not tried again before somebody asks again.
 */
export class Pool<T> implements Spender {
  private readonly shelves = new Map<string, Shelf<T>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly starts = new Set<Promise<void>>();
  private readonly discards = new Set<Promise<void>>();
  private look: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: PoolOptions<T>) {
    options.budget.join(this);
  }

  /** One that is ready, which is then the caller's; undefined when there is none. Either way more are started for later. */
  take(key: string, start: () => Promise<T>): T | undefined {
    const { options } = this;
    if (this.closed || options.budget.bytes < options.bytesOf(key)) return undefined;
    this.look ??= setInterval(() => this.closeIdle(), LOOK_MS).unref();
    const shelf = this.shelfOf(key, start);
    const item = shelf.ready.shift();
    if (item === undefined) shelf.target = Math.min(options.mostOfAKey, shelf.target + 1);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.refill(shelf);
    }, REFILL_MS);
    this.timers.add(timer);
    return item;
  }

  /** One has ended by itself: if it is still in the pool it is discarded. */
  lost(item: T): void {
    for (const { ready } of this.shelves.values()) {
      const at = ready.indexOf(item);
      if (at < 0) continue;
      ready.splice(at, 1);
      this.discard(item);
    }
  }

  /** How many wait. */
  get size(): number {
    return [...this.shelves.values()].reduce((sum, { ready }) => sum + ready.length, 0);
  }

  /** What all that wait take, those that start included. */
  get bytes(): number {
    const { options } = this;
    return [...this.shelves.values()].reduce(
      (sum, one) => sum + (one.ready.length + one.starting) * options.bytesOf(one.key),
      0,
    );
  }

  oldest(before: number): { lastUse: number; close: () => void } | undefined {
    const [shelf] = [...this.shelves.values()]
      .filter(({ ready, lastUse }) => ready.length > 0 && lastUse < before)
      .sort((a, b) => a.lastUse - b.lastUse);
    if (shelf === undefined) return undefined;
    const close = (): void => {
      shelf.target = Math.max(0, shelf.target - 1);
      for (const item of shelf.ready.splice(0, 1)) this.discard(item);
    };
    return { lastUse: shelf.lastUse, close };
  }

  /** Discards all that wait; no more are started. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.look);
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all(this.starts);
    for (const { ready } of this.shelves.values()) for (const item of ready.splice(0)) this.discard(item);
    this.shelves.clear();
    await Promise.all(this.discards);
    this.options.budget.leave(this);
  }

  private discard(item: T): void {
    const discard = this.options.discard(item).then(() => void this.discards.delete(discard));
    this.discards.add(discard);
  }

  private shelfOf(key: string, start: () => Promise<T>): Shelf<T> {
    const shelf = this.shelves.get(key) ?? { key, ready: [], starting: 0, target: 0, start, lastUse: 0 };
    this.shelves.set(key, shelf);
    shelf.start = start;
    shelf.lastUse = performance.now();
    return shelf;
  }

  private refill(shelf: Shelf<T>): void {
    const { starts } = this;
    while (!this.closed && shelf.ready.length + shelf.starting < shelf.target && this.hasRoom(shelf)) {
      shelf.starting++;
      const start = shelf
        .start()
        .then((item) => void (this.closed ? this.discard(item) : shelf.ready.push(item)))
        // The task itself will meet the same, and tell.
        .catch(() => void (shelf.target = 0))
        .then(() => {
          shelf.starting--;
          starts.delete(start);
        });
      starts.add(start);
    }
  }

  private hasRoom({ key, lastUse }: Shelf<T>): boolean {
    return this.options.budget.makeRoom(this.options.bytesOf(key), lastUse);
  }

  private closeIdle(): void {
    const now = performance.now();
    for (const shelf of this.shelves.values()) {
      if (now - shelf.lastUse < IDLE_MS) continue;
      shelf.target = 0;
      for (const item of shelf.ready.splice(0)) this.discard(item);
      if (shelf.starting === 0) this.shelves.delete(shelf.key);
    }
    if (this.shelves.size > 0) return;
    clearInterval(this.look);
    this.look = undefined;
  }
}
