import type { ResourceClass } from '@lattice/flow';
import {
  Absences,
  ClassQueue,
  TakeLoop,
  readClasses,
  tellReady as tellOfJobs,
  type Disposal,
  type Taken,
} from '@lattice/queue';
import { z } from 'zod';
import { readControl } from '../control/control-message';
import type { Runtime } from '../runtime';
import { ResourceLedger, type LedgerOptions, type Reservation } from './resource-ledger';

const SWEEP_MS = 1_000;
/** So often it is looked which classes are announced. */
const CLASSES_MS = 60_000;
/** With a lock of 15 s and two of these, what a dead worker had is taken again within 20 s. */
const STALLED_MS = 2_000;

const readySchema = z.array(z.string());

/** What a worker is told over the bus, apart from what ends attempts: that is done here. */
export type Order = Exclude<ReturnType<typeof readControl>, { stopAll: true } | { stop: string }>;

export interface IntakeOptions extends Omit<LedgerOptions, 'look' | 'wakeIn'> {
  readonly runtime: Runtime;
  /** Under which jobs are taken from the queues. */
  readonly workerId: string;
  /** Whether jobs of the class can be done by this worker at all. */
  readonly canServe: (entry: ResourceClass) => boolean;
  /** Does the work of a job. `signal` is aborted when the lock is lost. Never rejects. */
  readonly work: (taken: Taken, signal: AbortSignal, reservation: Reservation) => Promise<Disposal>;
  readonly onOrder: (order: Order) => void;
}

/**
 * Where the jobs of one worker come in: the classes that it serves, with their queues, what of its resources is free, and the
 * loop that takes. What is announced of classes and jobs is heard here, and what was released is told to all workers.
 */
export class Intake {
  readonly ledger: ResourceLedger;
  readonly loop: TakeLoop<Reservation>;
  private readonly queues = new Map<string, ClassQueue>();
  private readonly passedOver = new Set<string>();
  private readonly absences = new Absences();
  private looksAt = 0;
  private readonly timers = new Set<NodeJS.Timeout>();
  private unsubscribe: (() => Promise<void>)[] = [];

  constructor(private readonly options: IntakeOptions) {
    const { runtime, work } = options;
    this.ledger = new ResourceLedger({
      ...options,
      look: async (name) => (await this.queues.get(name)?.look()) ?? { ids: [], priority: undefined, due: false },
      wakeIn: (name, ms) => this.wakeIn(name, ms),
    });
    this.loop = new TakeLoop({
      ledger: this.ledger,
      work,
      onError: (error) => this.warn(error, 'taking jobs'),
      onReleased: (classes) => this.tellReady(classes),
      lockMs: runtime.settings.lock,
      sweepMs: SWEEP_MS,
    });
  }

  /** Begins to hear of jobs, of orders and of what is to be ended. Nothing is taken before the loop is started. */
  async listen(): Promise<void> {
    const { bus } = this.options.runtime.queue;
    this.unsubscribe = [
      await bus.subscribe('ready', { onMessage: (text) => this.ready(text), onReconnect: () => this.lookAround() }),
      await bus.subscribe('control', { onMessage: (text) => this.control(text) }),
    ];
  }

  /** Hears nothing more. What runs goes on. */
  async deafen(): Promise<void> {
    for (const end of this.unsubscribe) await end();
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Serves the classes that are announced and that this worker can serve, and those no more that were given up. */
  async findClasses(): Promise<void> {
    const served = [...this.queues.keys(), ...this.passedOver];
    const entries = await readClasses(this.options.runtime.queue);
    for (const entry of entries) this.consider(entry);
    const announced = new Set(entries.map(({ name }) => name));
    for (const name of this.absences.look(served, announced)) this.forget(name);
  }

  /** To be called often. Of a new class there is a word; those that were given up go without. */
  async lookNowAndThen(): Promise<void> {
    if (performance.now() < this.looksAt) return;
    this.looksAt = performance.now() + CLASSES_MS;
    await this.findClasses().catch((error: unknown) => this.warn(error, 'looking for classes of jobs'));
  }

  private forget(className: string): void {
    if (this.queues.has(className) && !this.loop.remove(className)) return;
    this.queues.delete(className);
    this.passedOver.delete(className);
    this.ledger.remove(className);
    this.absences.forget(className);
  }

  /** What was passed over is considered again. */
  reconsider(): void {
    this.passedOver.clear();
  }

  /** Looks for new classes, then for jobs in all that are served. */
  lookAround(): void {
    this.lookFor(() => [...this.queues.keys()]);
  }

  consider(entry: ResourceClass): void {
    if (this.queues.has(entry.name) || this.passedOver.has(entry.name)) return;
    if (this.options.canServe(entry)) this.serve(entry);
    else this.passedOver.add(entry.name);
  }

  /** The queue of a class, which is served from here on if it was not. */
  serve(entry: ResourceClass): ClassQueue {
    const known = this.queues.get(entry.name);
    if (known !== undefined) return known;
    const { runtime, workerId } = this.options;
    this.ledger.add(entry);
    const queue = new ClassQueue({
      queue: runtime.queue,
      className: entry.name,
      version: runtime.pin.version,
      workerId,
      lockMs: runtime.settings.lock,
      stalledMs: STALLED_MS,
      onStalled: () => this.loop.wake([entry.name]),
    });
    this.queues.set(entry.name, queue);
    this.loop.add(queue);
    queue.watchStalled().catch((error: unknown) => this.warn(error, 'watching for stalled jobs'));
    return queue;
  }

  private ready(text: string): void {
    const names = readySchema.parse(JSON.parse(text));
    if (names.every((name) => this.queues.has(name) || this.passedOver.has(name))) this.loop.wake(names);
    else this.lookFor(() => names);
  }

  /** Looks for new classes, then for jobs in those named. The sweep of the loop is the net when Redis fails now. */
  private lookFor(names: () => readonly string[]): void {
    this.findClasses()
      .then(() => this.loop.wake(names()))
      .catch((error: unknown) => this.warn(error, 'looking for classes of jobs'));
  }

  private tellReady(classes: readonly string[]): void {
    this.loop.wake(classes);
    tellOfJobs(this.options.runtime.queue, classes).catch((error: unknown) =>
      this.warn(error, 'telling of released jobs'),
    );
  }

  private control(text: string): void {
    const order = readControl(text);
    // Redis was lost: whatever runs here belongs to an epoch that is over.
    if ('stopAll' in order) this.loop.abort(() => true, 'heartbeat_lost');
    else if ('stop' in order) this.loop.abort(({ runId }) => runId === order.stop, 'stopping');
    else this.options.onOrder(order);
  }

  private wakeIn(name: string, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.loop.wake([name]);
    }, ms + 1);
    this.timers.add(timer);
  }

  private warn(error: unknown, what: string): void {
    this.options.runtime.log.warn({ err: error, workerId: this.options.workerId }, what);
  }
}
