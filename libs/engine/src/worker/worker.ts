import { randomUUID } from 'node:crypto';
import { availableParallelism, totalmem } from 'node:os';
import type { SandboxLevel } from '@lattice/contracts';
import { createExecutors, type Executors, type Handler } from '@lattice/executor';
import type { ResourceClass, TaskDefinition } from '@lattice/flow';
import {
  ClassQueue,
  DEAF_MS,
  HEARTBEAT_MS,
  TakeLoop,
  heartbeat,
  keepOrder,
  leave,
  readClasses,
  withLimit,
  type Announcement,
  type StoredOrder,
  type Taken,
} from '@lattice/queue';
import { z } from 'zod';
import type { Attempt, AttemptContext } from '../attempt/execute';
import { runJob } from '../attempt/run-job';
import { readControl } from '../control/control-message';
import { startLoop, type Loop } from '../loop';
import type { Runtime } from '../runtime';
import { announcementOf } from './announce';
import { claimSeat } from './batches/claim-seat';
import { flushLanes, pendingOf } from './batches/pending';
import { withBatchHandlers } from './batches/wrap-handlers';
import { foundLabels } from './found-labels';
import { WorkerGpus } from './gpus/worker-gpus';
import { meetsRules } from './labels';
import { perform } from './perform';
import { reluctanceOf } from './placement/reluctance';
import { fits, ResourceLedger, type Reservation } from './resource-ledger';
import { WorkerLabels } from './worker-labels';

const SWEEP_MS = 1_000;
/** With a lock of 15 s and two of these, what a dead worker had is taken again within 20 s. */
const STALLED_MS = 2_000;
/** A worker that stops lets its attempts end for so long before it stops them. */
const DRAIN_MS = 8_000;
/** What changes often is told within so long. */
const TELL_MS = 300;
/** A heartbeat is answered within so long, or the connection is given up. */
const BEAT_MS = 10_000;
/** While a worker drains, whether it is done is told soon. */
const DRAINING_MS = 500;

const readySchema = z.array(z.string());

export interface WorkerOptions {
  /** A drain that was to end the process is done. */
  readonly onDrained?: () => void;
}

/** A worker: takes jobs of the classes it can serve, and does them. */
export class LatticeWorker {
  private readonly ledger: ResourceLedger;
  private readonly loop: TakeLoop<Reservation>;
  private readonly executors: Executors;
  private readonly context: AttemptContext;
  private readonly passedOver = new Set<string>();
  private readonly startedAt = new Date().toISOString();
  private heart: Loop | undefined;
  private unsubscribe: (() => Promise<void>)[] = [];
  private registered = false;
  private stopping = false;
  /** What stands: the worker goes by it also while Redis has lost it. */
  private order: StoredOrder | undefined;
  private drainTimer: NodeJS.Timeout | undefined;
  private telling: NodeJS.Timeout | undefined;
  private readonly labels: WorkerLabels;
  private readonly gpus: WorkerGpus;
  private readonly queues = new Map<string, ClassQueue>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Tells this process from an earlier one with the same worker id: a nonce must never come again. */
  private readonly life = randomUUID().slice(0, 8);
  private nonces = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly handlers: ReadonlyMap<string, Handler>,
    private readonly options: WorkerOptions = {},
  ) {
    const { settings, log } = runtime;
    const { worker, lock } = settings;
    this.executors = createExecutors({
      workerId: worker.id,
      handlers: withBatchHandlers(handlers),
      defaultLevel: worker.sandbox,
      minLevel: settings.sandboxMin,
      warmBytes: settings.worker.warm,
      docker: {
        pullTimeoutMs: worker.pullTimeout,
        ...(worker.registryAuth === undefined ? {} : { credentials: worker.registryAuth }),
      },
    });
    const { executors } = this;
    this.gpus = new WorkerGpus({ settings, log, executors, changed: () => this.labels.refresh() });
    this.labels = new WorkerLabels({
      found: () => ({ ...foundLabels(worker.id), ...this.gpus.labels }),
      given: worker.labels,
      changed: () => this.labelsChanged(),
    });
    this.ledger = this.openLedger();
    this.context = {
      runtime,
      workerId: worker.id,
      nonce: () => `${this.life}.${(this.nonces += 1)}`,
      levelOf: (task) => this.levelOf(task),
      perform: (attempt) => this.perform(attempt),
    };
    this.loop = new TakeLoop({
      ledger: this.ledger,
      work: (taken, signal, reservation) => this.work(taken, signal, reservation),
      onError: (error) => runtime.log.warn({ err: error }, 'taking jobs'),
      onReleased: (classes) => this.tellReady(classes),
      lockMs: lock,
      sweepMs: SWEEP_MS,
    });
  }

  private openLedger(): ResourceLedger {
    const { worker } = this.runtime.settings;
    return new ResourceLedger({
      capacity: {
        cpu: worker.cpus ?? availableParallelism(),
        memory: worker.memory ?? totalmem(),
        slots: worker.concurrency,
      },
      look: async (name) => (await this.queues.get(name)?.look()) ?? { ids: [], priority: undefined, due: false },
      reluctance: (entry) => reluctanceOf(entry, this.labels.all, this.used),
      admits: (entry) => meetsRules(entry.rules, this.labels.all),
      takeGpus: (need) => this.gpus.take(need),
      giveBackGpus: (lease) => this.gpus.giveBack(lease),
      wakeIn: (name, ms) => this.wakeIn(name, ms),
    });
  }

  async start(): Promise<void> {
    const { runtime } = this;
    const reaped = await this.executors.reapOrphans();
    if (reaped.processes + reaped.containers > 0) runtime.log.warn(reaped, 'ended what an earlier worker left running');
    await this.gpus.start();
    const catchUp = (): void => this.lookFor(() => [...this.known]);
    this.unsubscribe = [
      await runtime.queue.bus.subscribe('ready', { onMessage: (text) => this.ready(text), onReconnect: catchUp }),
      await runtime.queue.bus.subscribe('control', { onMessage: (text) => this.control(text) }),
    ];
    await this.obey(await heartbeat(runtime.queue, this.announcement()));
    this.loop.start();
    await this.findClasses();
    this.registered = true;
    this.heart = startLoop({ name: 'heartbeat', log: runtime.log, turn: () => this.beat() });
  }

  /** Takes no more jobs, lets those that run end, stops them after the deadline, and leaves. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.drainTimer);
    clearTimeout(this.telling);
    flushLanes(this.ledger.batches, {});
    const deadline = setTimeout(() => this.loop.abort(() => true, 'worker_stops'), DRAIN_MS);
    await this.loop.drain();
    clearTimeout(deadline);
    await this.heart?.stop();
    for (const end of this.unsubscribe) await end();
    for (const timer of this.timers) clearTimeout(timer);
    await this.gpus.stop();
    await this.executors.close();
    await this.loop.close();
    await leave(this.runtime.queue, this.announcement(), this.order?.order === 'drain');
  }

  private async work(taken: Taken, signal: AbortSignal, reservation: Reservation): ReturnType<typeof runJob> {
    const { runId, taskKey } = taken;
    reservation.about = { runId, taskKey, priority: taken.job.opts.priority ?? 0 };
    try {
      if (reservation.batch === undefined && reservation.gpus === undefined)
        return await runJob(this.context, taken, signal);
      if (reservation.batch !== undefined) {
        const elsewhere = await claimSeat(this.runtime, this.ledger, reservation, taken);
        if (elsewhere !== undefined) return elsewhere;
      }
      return await runJob({ ...this.context, perform: (attempt) => this.perform(attempt, reservation) }, taken, signal);
    } catch (error) {
      // Nothing is recorded: the job comes back when its lock has run out, and counts as lost then.
      this.runtime.log.error({ err: error, runId, taskKey }, 'a job could not be done');
      return { do: 'leave' };
    }
  }

  private perform(attempt: Attempt, reservation?: Reservation): ReturnType<AttemptContext['perform']> {
    const { runtime, executors, labels, gpus } = this;
    if (reservation?.batch !== undefined) this.tellSoon();
    return perform({ runtime, executors, labels, hasGpus: gpus.all.length > 0 }, attempt, reservation);
  }

  /** What was passed over may be served now. */
  private labelsChanged(): void {
    this.passedOver.clear();
    if (!this.registered) return;
    this.heart?.wake();
    this.lookFor(() => [...this.known]);
  }

  /** The share of the worker that is in use, by what is shortest: 0 to 1. */
  private get used(): number {
    const { left, total } = this.ledger;
    return Math.max(0, 1 - left.cpu / total.cpu, 1 - left.slots / total.slots);
  }

  /** Batches come and go between two heartbeats; who waits for one long is to see it. */
  private tellSoon(): void {
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      this.heart?.wake();
    }, TELL_MS);
  }

  private wakeIn(name: string, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.loop.wake([name]);
    }, ms + 1);
    this.timers.add(timer);
  }

  private levelOf(task: TaskDefinition): SandboxLevel {
    return task.level ?? this.runtime.settings.worker.sandbox;
  }

  private readonly known = new Set<string>();

  /** Serves the classes that were announced and that this worker can serve. */
  private async findClasses(): Promise<void> {
    for (const entry of await readClasses(this.runtime.queue)) {
      if (this.known.has(entry.name) || this.passedOver.has(entry.name)) continue;
      if (this.canServe(entry)) this.serve(entry);
      else this.passedOver.add(entry.name);
    }
  }

  private canServe({ uses, need, rules, handler }: ResourceClass): boolean {
    if (uses === 'control') return false;
    if (handler !== undefined && !this.handlers.has(handler)) return false;
    return fits(need, this.ledger.total) && this.gpus.couldServe(need) && meetsRules(rules, this.labels.all);
  }

  private serve(entry: ResourceClass): void {
    this.known.add(entry.name);
    this.ledger.add(entry);
    const queue = new ClassQueue({
      queue: this.runtime.queue,
      className: entry.name,
      version: this.runtime.pin.version,
      workerId: this.context.workerId,
      lockMs: this.runtime.settings.lock,
      stalledMs: STALLED_MS,
      onStalled: () => this.loop.wake([entry.name]),
    });
    this.queues.set(entry.name, queue);
    this.loop.add(queue);
    queue.watchStalled().catch((error: unknown) => this.runtime.log.warn({ err: error }, 'watching for stalled jobs'));
  }

  private ready(text: string): void {
    const names = readySchema.parse(JSON.parse(text));
    if (names.every((name) => this.known.has(name) || this.passedOver.has(name))) this.loop.wake(names);
    else this.lookFor(() => names);
  }

  /** Looks for new classes, then for jobs in those named. The sweep of the loop is the net when Redis fails now. */
  private lookFor(names: () => readonly string[]): void {
    this.findClasses()
      .then(() => this.loop.wake(names()))
      .catch((error: unknown) => this.runtime.log.warn({ err: error }, 'looking for classes of jobs'));
  }

  private tellReady(classes: readonly string[]): void {
    this.loop.wake(classes);
    this.runtime.queue.bus
      .publish('ready', JSON.stringify(classes))
      .catch((error: unknown) => this.runtime.log.warn({ err: error }, 'telling of released jobs'));
  }

  private control(text: string): void {
    const order = readControl(text);
    // Redis was lost: whatever runs here belongs to an epoch that is over.
    if ('stopAll' in order) this.loop.abort(() => true, 'heartbeat_lost');
    else if ('stop' in order) this.loop.abort(({ runId }) => runId === order.stop, 'stopping');
    else if ('flush' in order) flushLanes(this.ledger.batches, order.flush);
    else if (order.order === this.context.workerId) this.heart?.wake();
  }

  /** A heartbeat that is not answered is a connection that died without a word; so is a loop that got no answer for long. */
  private async beat(): Promise<number> {
    const { queue, log } = this.runtime;
    try {
      if (this.loop.provedAgo > DEAF_MS) throw new Error(`no look into a queue was answered for ${DEAF_MS} ms`);
      await this.obey(await withLimit(heartbeat(queue, this.announcement()), BEAT_MS, 'Redis does not answer.'));
    } catch (error) {
      log.warn({ err: error }, 'the worker does not reach Redis; it connects again');
      queue.reconnect();
    }
    return this.state() === 'draining' ? DRAINING_MS : HEARTBEAT_MS;
  }

  /** Goes by the order that stands. None is no order: Redis may have lost it. */
  private async obey(order: StoredOrder | undefined): Promise<void> {
    if (order === undefined) {
      if (this.order !== undefined) await keepOrder(this.runtime.queue, this.context.workerId, this.order);
    } else if (JSON.stringify(order) !== JSON.stringify(this.order)) {
      this.order = order;
      this.runtime.log.info(order, 'the worker was told');
      this.loop.hold(order.order !== 'uncordon');
      // No more members will come.
      if (order.order !== 'uncordon') flushLanes(this.ledger.batches, {});
      clearTimeout(this.drainTimer);
      if (order.order === 'drain' && order.timeoutMs !== undefined)
        this.drainTimer = setTimeout(() => this.loop.abort(() => true, 'worker_stops'), order.timeoutMs);
      this.heart?.wake();
    }
    if (this.state() === 'drained' && this.order?.exit === true) this.options.onDrained?.();
  }

  private state(): Announcement['state'] {
    if (this.stopping) return 'draining';
    switch (this.order?.order) {
      case 'drain':
        return this.loop.running === 0 ? 'drained' : 'draining';
      case 'cordon':
        return 'cordoned';
      case 'uncordon':
      case undefined:
        return this.registered ? 'online' : 'registering';
    }
  }

  /** Whether the worker takes tasks, or is told not to: it was heard lately. */
  get isReady(): boolean {
    return this.registered && !this.stopping && this.loop.provedAgo < DEAF_MS;
  }

  private announcement(): Announcement {
    const { ledger, gpus } = this;
    const users = [...ledger.reserved].flatMap((one) =>
      one.gpus === undefined ? [] : [{ lease: one.gpus, ...one.about }],
    );
    const holders = gpus.holders(users);
    return announcementOf({
      workerId: this.context.workerId,
      state: this.state(),
      labels: { ...this.labels.all },
      handlers: [...this.handlers.keys()].sort(),
      gpus: gpus.all.map((gpu) => ({ ...gpu, holders: holders.get(gpu.uuid) ?? [] })),
      batches: pendingOf(ledger.batches),
      running: this.loop.running,
      startedAt: this.startedAt,
      provedAgo: this.loop.provedAgo,
      total: { ...ledger.total, gpu: gpus.all.length },
      free: { ...ledger.left, gpu: gpus.free },
      driver: gpus.driver,
    });
  }
}
