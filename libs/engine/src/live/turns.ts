/** A turn waits at most so long for the one before it to have been paid for, in milliseconds. */
const MAX_PAUSE_MS = 2;

/**
 * When followers take what has come for them: all of them in one turn, at the end of a turn of the event loop. After a turn
 * with many followers the next waits for a moment, as long as that one took at most. So in a burst each follower gets more
 * events at once, which costs it little more than one; longer pauses save little and let the events of a burst wait.
 */
export class Turns {
  private readonly waiting = new Set<() => void>();
  private state: 'idle' | 'planned' | 'taken' = 'idle';
  private notBefore = 0;

  /** Calls `act` in the next turn: once, however often it was planned until then. */
  plan(act: () => void): void {
    this.waiting.add(act);
    if (this.state === 'idle') this.planTurn();
  }

  private planTurn(): void {
    this.state = 'planned';
    const pause = this.notBefore - performance.now();
    if (pause > 0) setTimeout(this.take, pause);
    else setImmediate(this.take);
  }

  private readonly take = (): void => {
    this.state = 'taken';
    const start = performance.now();
    const acts = [...this.waiting];
    this.waiting.clear();
    for (const act of acts) act();
    // What they do comes in microtasks, and what they write goes out by a `setImmediate` of theirs: the second one is after it.
    setImmediate(() => setImmediate(() => this.end(start)));
  };

  private end(start: number): void {
    const now = performance.now();
    this.notBefore = now + Math.min(now - start, MAX_PAUSE_MS);
    if (this.waiting.size > 0) this.planTurn();
    else this.state = 'idle';
  }
}
