import type { RunEvent } from '@lattice/contracts';
import type { Turns } from './turns';

/** Events one follower may have waiting, and their size in characters of JSON; beyond that it reads them from Postgres. */
export const MAILBOX_EVENTS = 1_000;
export const MAILBOX_CHARACTERS = 8 * 1_048_576;

/**
 * What the bus has brought for one follower and the follower has not taken yet. It is bounded: when it overflows it is
 * emptied and marked as behind, and the follower reads on from Postgres at its own pace. So a slow reader costs no memory and
 * misses nothing.
 */
export class Mailbox {
  private events: RunEvent[] = [];
  private characters = 0;
  private behind = true;
  private wake: (() => void) | undefined;

  constructor(private readonly turns: Turns) {}

  /** Puts an event in; `size` is its length as JSON, roughly. While behind nothing is kept: it is all in Postgres. */
  deliver(event: RunEvent, size: number): void {
    if (this.behind) return;
    this.events.push(event);
    this.characters += size;
    if (this.events.length > MAILBOX_EVENTS || this.characters > MAILBOX_CHARACTERS) this.markBehind();
    else this.wakeInTurn();
  }

  /** Something may have been missed: what is here is dropped, and the follower has to read Postgres. */
  markBehind(): void {
    this.behind = true;
    this.empty();
    this.wakeInTurn();
  }

  /**
   * True when Postgres has to be read. From this call on events are kept again: it comes BEFORE the read, so that an event
   * committed after the read is here, and one committed before it is in both (and known by its id).
   */
  takeBehind(): boolean {
    const was = this.behind;
    this.behind = false;
    return was;
  }

  take(): RunEvent[] {
    const taken = this.events;
    this.empty();
    return taken;
  }

  /** Resolves when there is something to do, at once when there is already, or when `notify` is called. */
  async wait(): Promise<void> {
    if (this.behind || this.events.length > 0) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
  }

  /** Wakes the follower at once, for instance because its reader has gone. */
  readonly notify = (): void => {
    this.wake?.();
  };

  private wakeInTurn(): void {
    if (this.wake !== undefined) this.turns.plan(this.notify);
  }

  private empty(): void {
    this.events = [];
    this.characters = 0;
  }
}
