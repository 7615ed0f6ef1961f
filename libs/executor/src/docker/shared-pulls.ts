import type { PullProgress } from './pull-progress';

/** Who waits for a pull. */
export interface PullWaiter {
  /** Aborted when nobody needs the image here any more. */
  readonly signal: AbortSignal;
  tell(progress: PullProgress): void;
}

interface SharedPull {
  readonly waiters: Set<PullWaiter>;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** One pull for each image, however many tasks wait for it; it ends when the last of them has gone. */
export class SharedPulls {
  private readonly pulls = new Map<string, SharedPull>();

  constructor(private readonly pull: (image: string, on: PullWaiter) => Promise<void>) {}

  /** Resolves when the image is pulled; rejects with what the pull failed with, or when the waiter's signal aborts. */
  async wait(image: string, waiter: PullWaiter): Promise<void> {
    waiter.signal.throwIfAborted();
    const shared = this.pulls.get(image) ?? this.begin(image);
    shared.waiters.add(waiter);
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(new Error(`nobody waits for image ${image} any more`, { cause: waiter.signal.reason }));
    });
    waiter.signal.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([shared.done, left]);
    } finally {
      waiter.signal.removeEventListener('abort', leave);
      shared.waiters.delete(waiter);
      if (shared.waiters.size === 0) this.end(image, shared);
    }
  }

  private begin(image: string): SharedPull {
    const waiters = new Set<PullWaiter>();
    const abort = new AbortController();
    const tell = (progress: PullProgress): void => {
      for (const waiter of waiters) waiter.tell(progress);
    };
    const shared = { waiters, abort, done: this.pull(image, { signal: abort.signal, tell }) };
    // Whoever still waits hears of it; there may be nobody.
    shared.done.catch(() => undefined);
    this.pulls.set(image, shared);
    return shared;
  }

  /** Who comes from now on begins anew: a pull that is being stopped is of no use to them. */
  private end(image: string, shared: SharedPull): void {
    if (this.pulls.get(image) === shared) this.pulls.delete(image);
    shared.abort.abort();
  }
}
