import type { Ledger, NotReserved } from '@lattice/queue';

/**
 * Jobs that a scheduler works on at the same time. Few: so a run that has begun ends before others begin. When many begin in one instant
 * each tells its events within a short time, and followers get them by few writes; with four times as many the events of such
 * a burst took far longer to the sockets (`bench/sockets.mjs`), and the burst was over no sooner.
 */
export const SLOTS = 8;
/** So many more while steps wait for others. */
export const BESIDE = 24;

/** A place for one job. */
export type Slot = Readonly<Record<string, never>>;
const SLOT: Slot = {};

/** The places of a scheduler for jobs of the class `control`. A step that waits for Postgres or Redis gives its place to another meanwhile. */
export class StepSlots implements Ledger<Slot> {
  /** Below 0 when steps that gave their places away have come back. */
  private free = SLOTS;
  private waiting = 0;
  private refused = false;

  /** `onFree` is called when there is a place again that somebody was refused. */
  constructor(private readonly onFree: () => void) {}

  order(names: Iterable<string>): readonly string[] {
    return [...names];
  }

  reserve(): Slot | NotReserved {
    if (this.free <= 0) {
      this.refused = true;
      return 'full';
    }
    this.free -= 1;
    return SLOT;
  }

  mayGoOn(): boolean {
    return this.free >= 0;
  }

  giveBack(): void {
    this.free += 1;
  }

  /** Does what mostly waits; its place is free for another meanwhile. */
  async beside<T>(step: () => Promise<T>): Promise<T> {
    if (this.waiting >= BESIDE) return step();
    this.waiting += 1;
    this.giveBack();
    if (this.refused && this.free > 0) {
      this.refused = false;
      this.onFree();
    }
    try {
      return await step();
    } finally {
      this.waiting -= 1;
      this.free -= 1;
    }
  }
}
