import type { ClassQueue, Taken } from './class-queue';

/** Reason of an abort: the lock is lost, and with it the right to record. */
const LOST = 'heartbeat_lost';

/** A job that is being worked on. */
export interface Held {
  readonly taken: Taken;
  readonly abort: AbortController;
  readonly queue: ClassQueue;
  /** When the lock was surely ours for a whole span, by the clock of this process. */
  lockedAt: number;
}

export interface HeldJobsOptions {
  /** Lock of a job in milliseconds; renewed three times in that span. */
  readonly lockMs: number;
  readonly onError: (error: unknown) => void;
  /** Redis answered a renewal. */
  readonly onRenewed: () => void;
}

/** The jobs that a process works on, and their locks. */
export class HeldJobs {
  private readonly held = new Set<Held>();
  private renewing = false;

  constructor(private readonly options: HeldJobsOptions) {}

  get size(): number {
    return this.held.size;
  }

  holdsOf(queue: ClassQueue): boolean {
    return [...this.held].some((entry) => entry.queue === queue);
  }

  add(entry: Held): void {
    this.held.add(entry);
  }

  delete(entry: Held): void {
    this.held.delete(entry);
  }

  /** Aborts the work on the jobs that are picked. */
  abort(pick: (taken: Taken) => boolean, reason: string): void {
    for (const { taken, abort } of this.held) if (pick(taken)) abort.abort(reason);
  }

  /** Renews the locks of all of them, so that each stands for a whole span from now. */
  async renewAll(): Promise<void> {
    await Promise.all([...this.held].map(({ queue, taken }) => queue.renew([taken])));
  }

  /**
   * Renews locks in time; to be called several times in the span of a lock. A job without a renewal for a whole lock is taken for
   * lost: somebody else may have it. The same check catches a process that was frozen: its first call comes too late.
   */
  async keepLocks(): Promise<void> {
    const now = Date.now();
    for (const { lockedAt, abort } of this.held) if (now - lockedAt >= this.options.lockMs) abort.abort(LOST);
    if (this.renewing) return;
    this.renewing = true;
    try {
      for (const [queue, held] of this.dueByQueue(now)) {
        const started = Date.now();
        const lost = await queue.renew(held.map(({ taken }) => taken));
        this.options.onRenewed();
        for (const entry of held) {
          if (!lost.includes(entry.taken)) entry.lockedAt = started;
          else if (this.held.has(entry)) entry.abort.abort(LOST);
        }
      }
    } catch (error) {
      this.options.onError(error);
    } finally {
      this.renewing = false;
    }
  }

  /** Jobs of which a third of the lock has passed. One that was given up is not kept from others. */
  private dueByQueue(now: number): Map<ClassQueue, Held[]> {
    const byQueue = new Map<ClassQueue, Held[]>();
    for (const entry of this.held) {
      if (now - entry.lockedAt < this.options.lockMs / 3 || entry.abort.signal.reason === LOST) continue;
      const due = byQueue.get(entry.queue);
      if (due === undefined) byQueue.set(entry.queue, [entry]);
      else due.push(entry);
    }
    return byQueue;
  }
}
