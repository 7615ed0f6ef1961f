import { randomUUID } from 'node:crypto';
import type { SandboxLevel } from '@lattice/contracts';
import { createExecutors, type Executors, type Handler } from '@lattice/executor';
import type { ResourceClass, TaskDefinition } from '@lattice/flow';
import {
  DEAF_MS,
  HEARTBEAT_MS,
  heartbeat,
  keepOrder,
  leave,
  untilBeat,
  withLimit,
  type Announcement,
  type StoredOrder,
  type Taken,
} from '@lattice/queue';
import type { Attempt, AttemptContext } from '../attempt/execute';
import { runJob } from '../attempt/run-job';
import { startLoop, type Loop } from '../loop';
import type { Runtime } from '../runtime';
import { announcementOf, stateUnder } from './announce';
import { claimSeat } from './batches/claim-seat';
import { flushLanes, pendingOf } from './batches/pending';
import { withBatchHandlers } from './batches/wrap-handlers';
import { findCapacity } from './capacity/find-capacity';
import { warmBytesOf } from './capacity/warm-bytes';
import { foundLabels } from './found-labels';
import { WorkerGpus } from './gpus/worker-gpus';
import { Intake, type Order } from './intake';
import { meetsRules } from './labels';
import { perform } from './perform';
import { reluctanceOf } from './placement/reluctance';
import { fits, type Capacity, type Reservation } from './resource-ledger';
import { tellHolding } from './tell-holding';
import { WorkerLabels } from './worker-labels';

/** What changes often is told within so long. */
const TELL_MS = 300;
/** A heartbeat is answered within so long, or the connection is given up. */
const BEAT_MS = 10_000;
/** While a worker drains, whether it is done is told soon. */
const DRAINING_MS = 500;

export interface WorkerOptions {
  /** A drain that was to end the process is done. */
  readonly onDrained?: () => void;
}

/** A worker: takes jobs of the classes it can serve, and does them. */
export class LatticeWorker {
  private readonly intake: Intake;
  private readonly executors: Executors;
  private readonly context: AttemptContext;
  private readonly startedAt = new Date().toISOString();
  private heart: Loop | undefined;
  private registered = false;
  private stopping = false;
  /** What stands: the worker goes by it also while Redis has lost it. */
  private order: StoredOrder | undefined;
  private drainTimer: NodeJS.Timeout | undefined;
  private telling: NodeJS.Timeout | undefined;
  private readonly labels: WorkerLabels;
  private readonly gpus: WorkerGpus;
  /** Tells this process from an earlier one with the same worker id: a nonce must never come again, and a drain is for one process. */
  private readonly life = randomUUID().slice(0, 8);
  private nonces = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly handlers: ReadonlyMap<string, Handler>,
    private readonly options: WorkerOptions = {},
  ) {
    const { settings, log } = runtime;
    const { worker } = settings;
    const capacity = findCapacity(worker);
    this.executors = createExecutors({
      workerId: worker.id,
      handlers: withBatchHandlers(handlers),
      defaultLevel: worker.sandbox,
      minLevel: settings.sandboxMin,
      warmBytes: warmBytesOf(worker.warm, capacity.memory),
      controlGroups: worker.controlGroups !== 'off',
      onGroupsLost: (reason) => log.warn({ reason }, 'no more control groups can be made: what tasks use is measured'),
      onLeft: (folder, reason) => log.warn({ folder, reason }, 'files that a task left on the disk can not be removed'),
      docker: {
        mountable: worker.mounts,
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
    this.context = {
      runtime,
      workerId: worker.id,
      nonce: () => `${this.life}.${(this.nonces += 1)}`,
      levelOf: (task) => this.levelOf(task),
      perform: (attempt) => this.perform(attempt),
    };
    this.intake = this.openIntake(capacity);
  }

  private openIntake(capacity: Capacity): Intake {
    const { runtime, gpus } = this;
    const { worker } = runtime.settings;
    return new Intake({
      runtime,
      workerId: worker.id,
      capacity,
      canServe: (entry) => this.canServe(entry),
      reluctance: (entry) => reluctanceOf(entry, this.labels.all, this.used),
      admits: (entry) => meetsRules(entry.rules, this.labels.all),
      mayHaveGpus: (need) => gpus.mayHave(need),
      takeGpus: (need) => gpus.take(need),
      giveBackGpus: (lease) => gpus.giveBack(lease),
      work: (taken, signal, reservation) => this.work(taken, signal, reservation),
      onOrder: (order) => this.told(order),
    });
  }

  private get ledger(): Intake['ledger'] {
    return this.intake.ledger;
  }

  private get loop(): Intake['loop'] {
    return this.intake.loop;
  }

  async start(): Promise<void> {
    const { runtime } = this;
    const reaped = await this.executors.reapOrphans();
    if (reaped.processes + reaped.containers > 0) runtime.log.warn(reaped, 'ended what an earlier worker left running');
    tellHolding(runtime, this.executors.holding());
    await this.gpus.start();
    await this.intake.listen();
    await this.obey(await heartbeat(runtime.queue, this.announcement()));
    this.loop.start();
    await this.intake.findClasses();
    this.registered = true;
    this.heart = startLoop({ name: 'heartbeat', log: runtime.log, turn: () => this.beat() });
  }

  /** Takes no more jobs, lets those that run end, stops them after the deadline, and leaves. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.drainTimer);
    clearTimeout(this.telling);
    this.ledger.hurryBatches(true);
    const { drain } = this.runtime.settings.worker;
    const deadline = setTimeout(() => this.loop.abort(() => true, 'worker_stops'), drain);
    await this.loop.drain();
    clearTimeout(deadline);
    await this.heart?.stop();
    await this.intake.deafen();
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
    return perform({ runtime, executors, labels, gpus }, attempt, reservation);
  }

  /** What was passed over may be served now. */
  private labelsChanged(): void {
    this.intake.reconsider();
    if (!this.registered) return;
    this.heart?.wake();
    this.intake.lookAround();
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

  private levelOf(task: TaskDefinition): SandboxLevel {
    return task.level ?? this.runtime.settings.worker.sandbox;
  }

  private canServe({ uses, need, rules, handler }: ResourceClass): boolean {
    if (uses === 'control') return false;
    if (uses === 'script' && this.runtime.settings.worker.scripts === undefined) return false;
    if (handler !== undefined && !this.handlers.has(handler)) return false;
    return fits(need, this.ledger.total) && this.gpus.couldServe(need) && meetsRules(rules, this.labels.all);
  }

  private told(order: Order): void {
    if ('flush' in order) flushLanes(this.ledger.batches, order.flush);
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
    await this.intake.lookNowAndThen();
    return this.state() === 'draining' ? DRAINING_MS : untilBeat(HEARTBEAT_MS);
  }

  /** Goes by the order that stands. None is no order: Redis may have lost it. */
  private async obey(order: StoredOrder | undefined): Promise<void> {
    if (order === undefined) {
      if (this.order !== undefined) await keepOrder(this.runtime.queue, this.context.workerId, this.order);
    } else if (JSON.stringify(order) !== JSON.stringify(this.order)) {
      this.order = order;
      this.runtime.log.info(order, 'the worker was told');
      this.loop.hold(order.order !== 'uncordon');
      this.ledger.hurryBatches(order.order !== 'uncordon');
      clearTimeout(this.drainTimer);
      if (order.order === 'drain' && order.timeoutMs !== undefined)
        this.drainTimer = setTimeout(() => this.loop.abort(() => true, 'worker_stops'), order.timeoutMs);
      this.heart?.wake();
    }
    if (this.state() === 'drained' && this.order?.exit === true) this.options.onDrained?.();
  }

  private state(): Announcement['state'] {
    if (this.stopping) return 'draining';
    const otherwise = this.registered ? 'online' : 'registering';
    return stateUnder(this.order?.order, { running: this.loop.running, otherwise });
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
      life: this.life,
      state: this.state(),
      labels: { ...this.labels.all },
      handlers: [...this.handlers.keys()].sort(),
      scripts: this.runtime.settings.worker.scripts !== undefined,
      outside: false,
      gpus: gpus.all.map((gpu) => ({ ...gpu, holders: holders.get(gpu.uuid) ?? [] })),
      batches: pendingOf(ledger.batches),
      running: this.loop.running,
      startedAt: this.startedAt,
      provedAgo: this.loop.provedAgo,
      total: { ...ledger.total, gpu: gpus.all.length },
      free: { ...ledger.unused, gpu: gpus.free },
      driver: gpus.driver,
    });
  }
}
