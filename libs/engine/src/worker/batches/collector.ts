import type { Outcome } from '@lattice/executor';

/** One task in a batch. */
export interface Member {
  readonly runId: string;
  readonly taskKey: string;
  readonly attempt: number;
  readonly input: unknown;
  /** The member gets its outcome; only the first counts. */
  readonly settle: (outcome: Outcome) => void;
  /** The call is made: time begins to count. */
  readonly called: () => void;
  /** A line for the log of the member's attempt. */
  readonly log: (text: string) => void;
  readonly progress: (percent: number, text?: string) => void;
  readonly alive: () => void;
}

export interface CollectorOptions {
  readonly size: number;
  /** Milliseconds from the first member to the call at the latest. 0: whoever adds says when. */
  readonly timeoutMs: number;
  /** False while members are on their way: then the time is stretched a little. */
  readonly mayGo: () => boolean;
  /** Called once, with the members in the order in which they came. */
  readonly call: (members: readonly Member[]) => void;
}

/** The time of a batch is stretched by at most so much for members that are on their way. */
const STRETCH_MS = 500;

/** Collects the members of one batch until there are enough, or the time is over. Never more than `size`. */
export class Collector {
  private readonly members: Member[] = [];
  private timer: NodeJS.Timeout | undefined;
  private called = false;
  private isDue = false;

  constructor(private readonly options: CollectorOptions) {}

  /** Throws when the batch is closed: who adds asks first. */
  add(member: Member): void {
    if (this.called || this.members.length >= this.options.size)
      throw new Error('a batch that is closed takes no more');
    this.members.push(member);
    if (this.members.length === this.options.size) this.flush();
    else if (this.options.timeoutMs > 0)
      this.timer ??= setTimeout(() => this.due(), Math.min(this.options.timeoutMs, 2 ** 31 - 1));
  }

  /** No more will come but those that are on their way: its time is over as soon as somebody is there. */
  hurry(): void {
    if (this.called || this.isDue || this.members.length === 0) return;
    clearTimeout(this.timer);
    this.due();
  }

  /** The time is over: those that are on their way come along, if they come soon. */
  private due(): void {
    this.isDue = true;
    this.timer = setTimeout(() => this.flush(), STRETCH_MS);
    this.look();
  }

  /** Somebody who was on the way has come, or will not. */
  look(): void {
    if (this.isDue && this.options.mayGo()) this.flush();
  }

  /** A member that no longer wants to; false when it is too late for that. */
  remove(member: Member): boolean {
    const at = this.called ? -1 : this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
    return at >= 0;
  }

  /** Makes the call now; false when there is nobody to make it for, or it is made. */
  flush(): boolean {
    if (this.called || this.members.length === 0) return false;
    this.called = true;
    clearTimeout(this.timer);
    this.options.call([...this.members]);
    return true;
  }

  /** Whether it waits for members by itself. */
  get waits(): boolean {
    return this.options.timeoutMs > 0;
  }

  get isClosed(): boolean {
    return this.called;
  }

  get waiting(): number {
    return this.called ? 0 : this.members.length;
  }
}
