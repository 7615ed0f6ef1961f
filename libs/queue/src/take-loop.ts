import { untilBeat } from './beat';
import type { ClassQueue, Taken } from './class-queue';
import type { Disposal } from './disposal';
import { HeldJobs, type Held } from './held-jobs';
import type { Ledger, NotReserved } from './ledger';
import { Rows } from './rows';

export interface TakeLoopOptions<Reservation extends object> {
  readonly ledger: Ledger<Reservation>;
  /** Does the work of a job. `signal` is aborted when the lock is lost. Never rejects. */
  readonly work: (taken: Taken, signal: AbortSignal, reservation: Reservation) => Promise<Disposal>;
  readonly onError: (error: unknown) => void;
  /** Jobs may have been released in these classes: tell all workers. */
  readonly onReleased: (classNames: readonly string[]) => void;
  /** Lock of a job in milliseconds; renewed three times in that span. */
  readonly lockMs: number;
  /** Milliseconds between looks at the queues when nobody tells of new jobs. */
  readonly sweepMs: number;
}

/** A parked job looks again by itself after so long, should nobody put it back. */
const PARKED_MS = 60_000;

/** Where a chain of jobs is worked on. */
interface Place<Reservation extends object> {
  readonly queue: ClassQueue;
  readonly reservation: Reservation;
}

const REQUEUE: Disposal = { do: 'requeue' };

/**
 * One loop over all classes of a worker. A job is taken only after its need was reserved, so that a worker never holds a job
 * that it can't start. While jobs of a class follow each other the reservation is kept, and the acknowledgement fetches the next.
 */
export class TakeLoop<Reservation extends object> {
  private readonly queues = new Map<string, ClassQueue>();
  /** Classes that may have jobs. */
  private readonly hungry = new Set<string>();
  private readonly rows = new Rows();
  private readonly held: HeldJobs;
  private readonly timers = new Set<NodeJS.Timeout>();
  private pumping = false;
  /** A wake that comes while the pump is on must not be lost. */
  private woken = false;
  private stopped = false;
  private idle: (() => void)[] = [];

  private onHold = false;
  /** Questions put to Redis by the pump. */
  private looks = 0;
  private provedAt = performance.now();

  constructor(private readonly options: TakeLoopOptions<Reservation>) {
    const { lockMs, onError } = options;
    this.held = new HeldJobs({ lockMs, onError, onRenewed: () => this.proved() });
  }

  /** Milliseconds since Redis last answered a look into a queue, or a renewal, of this loop. A loop on hold has nothing to prove. */
  get provedAgo(): number {
    return this.onHold ? 0 : performance.now() - this.provedAt;
  }

  /** On hold no job is taken; those that run go on. */
  hold(on: boolean): void {
    if (this.onHold && !on) {
      this.provedAt = performance.now();
      this.onHold = false;
      this.wake(this.queues.keys());
    }
    this.onHold = on;
  }

  private get taking(): boolean {
    return !this.stopped && !this.onHold;
  }

  private proved(): void {
    this.provedAt = performance.now();
  }

  /** Jobs being worked on. */
  get running(): number {
    return this.held.size;
  }

  add(queue: ClassQueue): void {
    this.queues.set(queue.className, queue);
    this.wake([queue.className]);
  }

  /** Takes no more jobs of a class that is there no more; false while it works on one. */
  remove(className: string): boolean {
    const queue = this.queues.get(className);
    if (queue === undefined || this.pumping || this.held.holdsOf(queue)) return false;
    this.queues.delete(className);
    this.hungry.delete(className);
    this.rows.forget(className);
    queue.close().catch(this.options.onError);
    return true;
  }

  has(className: string): boolean {
    return this.queues.has(className);
  }

  start(): void {
    this.every(this.options.sweepMs, () => this.wake(this.queues.keys()));
    this.every(Math.min(1_000, this.options.lockMs / 6), () => void this.held.keepLocks());
  }

  /** Goes on with a job that was adopted; false when what it takes is not free. */
  async adopt(taken: Taken, lockedAt: number): Promise<boolean> {
    const queue = this.queues.get(taken.className);
    if (queue === undefined || this.stopped) return false;
    const reservation = await this.reserve(taken.className);
    if (reservation === undefined) return false;
    void this.workThrough({ queue, reservation }, taken, lockedAt);
    return true;
  }

  /** Renews the locks of all jobs that are held, so that each stands for a whole span from now. */
  async renewAll(): Promise<void> {
    await this.held.renewAll();
  }

  /** Tells that jobs may wait in these classes. */
  wake(classNames: Iterable<string>): void {
    for (const name of classNames) if (this.queues.has(name)) this.hungry.add(name);
    this.woken = true;
    void this.pump();
  }

  /** Aborts the work on the jobs that are picked. */
  abort(pick: (taken: Taken) => boolean, reason: string): void {
    this.held.abort(pick, reason);
  }

  /** Takes no more; resolves when all work has ended. */
  async drain(): Promise<void> {
    this.stopped = true;
    // A job may be on its way here.
    if (this.busy) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private get busy(): boolean {
    return this.pumping || this.held.size > 0;
  }

  private settleIdle(): void {
    if (this.stopped && !this.busy) for (const resolve of this.idle.splice(0)) resolve();
  }

  async close(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  private every(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.every(ms, action);
      action();
    }, untilBeat(ms));
    this.timers.add(timer);
  }

  /** Takes jobs, class by class in turn, until none is hungry or nothing fits. One pump at a time. */
  private async pump(): Promise<void> {
    if (this.pumping) return;
    this.pumping = true;
    try {
      do {
        this.woken = false;
        const looks = this.looks;
        for (const name of this.options.ledger.order(this.hungry)) if (await this.take(name)) this.woken = true;
        // Nothing to listen to, or no room for it: that is not deafness. While jobs run, their locks are the proof.
        if (looks === this.looks && this.held.size === 0) this.proved();
      } while (this.woken && this.taking);
    } finally {
      this.pumping = false;
      this.settleIdle();
    }
  }

  /** Takes a job of a class, or a row of jobs; false when none is to be looked for there now. */
  private async take(name: string): Promise<boolean> {
    const queue = this.queues.get(name);
    if (queue === undefined || !this.taking) return false;
    const reserved = await this.reserveRow(name);
    if (reserved.length === 0) return false;
    this.hungry.delete(name);
    const found = await Promise.all(reserved.map((reservation) => this.takeOn({ queue, reservation })));
    this.rows.looked(name, { asked: found.length, all: !found.includes(false) });
    if (found.includes(true)) this.hungry.add(name);
    return this.hungry.has(name);
  }

  /** True when there was a job to take. */
  private async takeOn(place: Place<Reservation>): Promise<boolean> {
    let taken: Taken | undefined;
    const lockedAt = Date.now();
    this.looks += 1;
    try {
      taken = await place.queue.take();
      this.proved();
    } catch (error) {
      this.options.onError(error);
    }
    if (taken === undefined) this.options.ledger.giveBack(place.reservation);
    else void this.workThrough(place, taken, lockedAt);
    return taken !== undefined;
  }

  private async reserveRow(name: string): Promise<Reservation[]> {
    const reserved: Reservation[] = [];
    do {
      const reservation = await this.reserve(name);
      if (reservation === undefined) break;
      reserved.push(reservation);
    } while (reserved.length < this.rows.of(name, this.hungry));
    return reserved;
  }

  /** What was reserved for a job of the class; undefined when nothing was. A class with nothing to take is not hungry until woken. */
  private async reserve(name: string): Promise<Reservation | undefined> {
    const asked = this.options.ledger.reserve(name);
    if (!(asked instanceof Promise)) return typeof asked === 'string' ? this.passOver(name, asked) : asked;
    this.hungry.delete(name);
    // What is answered is about the next job alone.
    this.rows.forget(name);
    this.looks += 1;
    try {
      const answer = await asked;
      this.proved();
      if (answer === 'full') this.hungry.add(name);
      return typeof answer === 'string' ? undefined : answer;
    } catch (error) {
      this.options.onError(error);
      return undefined;
    }
  }

  private passOver(name: string, why: NotReserved): undefined {
    if (why === 'nothing') this.hungry.delete(name);
    return undefined;
  }

  /** Works on a job, and then on those that its acknowledgement brings. */
  private async workThrough(place: Place<Reservation>, first: Taken, takenAt: number): Promise<void> {
    const { queue, reservation } = place;
    let next: Taken | undefined = first;
    let lockedAt = takenAt;
    while (next !== undefined) {
      const held: Held = { taken: next, abort: new AbortController(), queue, lockedAt };
      this.held.add(held);
      next = undefined;
      try {
        // A worker that stops takes no more: not even what was on its way.
        const disposal = this.stopped ? REQUEUE : await this.options.work(held.taken, held.abort.signal, reservation);
        lockedAt = Date.now();
        next = await this.dispose(held, disposal, reservation);
        this.proved();
      } catch (error) {
        // What was recorded stands; a job that BullMQ does not let go of comes back and is then only acknowledged.
        this.options.onError(error);
      } finally {
        this.held.delete(held);
      }
    }
    this.options.ledger.giveBack(reservation);
    this.woken = true;
    this.settleIdle();
    void this.pump();
  }

  private async dispose(
    { taken, queue }: Held,
    disposal: Disposal,
    reservation: Reservation,
  ): Promise<Taken | undefined> {
    switch (disposal.do) {
      case 'acknowledge': {
        const acknowledged = queue.acknowledge(taken, this.taking && this.options.ledger.mayGoOn(reservation));
        // The job that comes with it is of another run, and locked for this worker: no error of this one may lose it.
        const followed = disposal.behind?.catch((error: unknown) => this.options.onError(error));
        const next = await acknowledged.finally(() => followed);
        if (disposal.wakes !== undefined && disposal.wakes.length > 0) this.options.onReleased(disposal.wakes);
        return next;
      }
      case 'delay':
        await queue.delay(taken, disposal.ms);
        this.wakeIn(queue.className, disposal.ms);
        return undefined;
      case 'park':
        await queue.delay(taken, PARKED_MS);
        if (!(await disposal.stays()) && (await queue.promote(taken))) this.hungry.add(queue.className);
        return undefined;
      case 'requeue':
        await queue.giveBack(taken);
        this.hungry.add(queue.className);
        return undefined;
      case 'leave':
        return undefined;
    }
  }

  private wakeIn(className: string, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.wake([className]);
    }, ms + 1);
    this.timers.add(timer);
  }
}
