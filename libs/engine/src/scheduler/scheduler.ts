import { LatticeError } from '@lattice/contracts';
import { CONTROL_CLASS } from '@lattice/flow';
import { purgeCached, purgeIdempotencyKeys } from '@lattice/persistence';
import {
  Absences,
  ClassQueue,
  classNames,
  parseJobId,
  queueNameOf,
  readHead,
  retireClasses,
  tellReady,
  untilBeat,
} from '@lattice/queue';
import { ControlLoop } from '../control-tasks/control-loop';
import { StepWaker } from '../control-tasks/wake';
import { finaliseIfDone } from '../run/finalise';
import { Admissions, LIMITS_IN_USE } from '../admission/admissions';
import type { Runtime } from '../runtime';
import { RunClearer } from './clear-runs';
import { OrderSender, OutboxSender } from './outbox-sender';
import { startLoop, type Loop } from '../loop';
import { ORDERS } from '../submit/nudge';
import { ScheduleClock } from '../schedules/schedule-loop';
import { RunExpiry } from './expire-runs';
import { Reconciler, reconcileRun } from './reconcile';
import { RunMover } from './run-mover';
import { RedisKeeper } from './recover';
import { HistoryWriter, type EndedRun } from './write-history';
import { sweepArtifacts } from './sweep-artifacts';

const PURGE_MS = 60_000;
/** A class without jobs is kept for so long after it was used. */
const RETIRE_MS = 24 * 3_600_000;
/** With a lock of 15 s and two of these, what a dead worker had is taken again within 20 s. */
const STALLED_MS = 2_000;

/** The loops of a scheduler. Any number of schedulers may run side by side. */
export class Scheduler {
  private readonly loops: Loop[] = [];
  private readonly stalled = new Map<string, ClassQueue>();
  private readonly absences = new Absences();
  private history: HistoryWriter | undefined;
  private clearer: RunClearer | undefined;
  private mover: RunMover | undefined;
  private unsubscribe: (() => Promise<void>) | undefined;
  private stopSchedules: (() => Promise<void>) | undefined;
  private readonly control: ControlLoop;
  private readonly waker: StepWaker;

  constructor(private readonly runtime: Runtime) {
    this.control = new ControlLoop(runtime);
    this.waker = new StepWaker(runtime);
  }

  async start(): Promise<void> {
    const { runtime } = this;
    const { log } = runtime;
    const clearer = (this.clearer = new RunClearer(runtime));
    const clearing = startLoop({ name: 'clearing of runs', log, turn: () => clearer.turn() });
    const ended = (runs: readonly EndedRun[]): void => {
      for (const { parent } of runs) if (parent !== '') this.waker.wake(parent);
    };
    const kept = (runs: readonly EndedRun[]): void => {
      clearer.add(runs);
      clearing.wake();
    };
    const admissions = new Admissions(runtime, () => admitting.wake());
    const admitting = startLoop({ name: 'limits of workflows', log, turn: () => admissions.turn() });
    const history = new HistoryWriter(runtime, {
      wrote: (batch) => admissions.wrote(batch),
      ended,
      kept,
      tookOver: async () => {
        admissions.expect();
        const runs = await clearer.find();
        ended(runs);
        kept(runs);
      },
    });
    this.history = history;
    const sender = new OutboxSender(runtime, admissions);
    const outbox = startLoop({ name: 'outbox', log, turn: () => sender.turn() });
    const orderSender = new OrderSender(runtime, admissions);
    const orders = startLoop({ name: 'orders', log, turn: () => orderSender.turn() });
    const mover = (this.mover = new RunMover(runtime, (run) => clearer.addJobs(run)));
    const moving = startLoop({ name: 'moving of runs to this version', log, turn: () => mover.turn() });
    const reconciler = new Reconciler(runtime, {
      mayRecover: () => history.holdsLock,
      madeAgain: (run) => clearer.addJobs(run),
      older: (runId) => mover.add(runId, () => moving.wake()),
    });
    const expiry = new RunExpiry(runtime, () => history.holdsLock);
    const keeper = new RedisKeeper(runtime, history);
    this.loops.push(
      outbox,
      orders,
      clearing,
      moving,
      admitting,
      startLoop({ name: 'purge', log, turn: () => this.purge() }),
      startLoop({ name: 'history', log, turn: (signal) => history.turn(signal) }),
      startLoop({ name: 'keeper of Redis', log, turn: (signal) => keeper.turn(signal), afterErrorMs: 100 }),
      startLoop({ name: 'reconciler', log, turn: () => reconciler.turn() }),
      startLoop({ name: 'retention', log, turn: () => expiry.turn() }),
      startLoop({ name: 'artifacts', log, turn: () => sweepArtifacts(runtime) }),
      startLoop({ name: 'stalled jobs', log, turn: () => this.watchStalled() }),
    );
    await this.control.start();
    this.unsubscribe = await this.listen({
      limits: () => admissions.expect(),
      orders: () => told(orderSender, orders),
      outbox: () => told(sender, outbox),
    });
    this.stopSchedules = await new ScheduleClock(runtime).start();
  }

  /** Hears what the outbox has, from whoever put it there. */
  private listen(on: { limits: () => void; orders: () => void; outbox: () => void }): Promise<() => Promise<void>> {
    const hear = (message: string): void => {
      if (message === LIMITS_IN_USE) on.limits();
      else if (message === ORDERS) on.orders();
      else on.outbox();
    };
    return this.runtime.queue.bus.subscribe('nudge', { onMessage: hear, onReconnect: on.outbox });
  }

  /**
   * The root job of a run was released: all its jobs are acknowledged. Ends the run if that was not yet done. A run with
   * tasks left is mended and its root is to come again: returns false.
   */
  async rootReleased(jobId: string): Promise<boolean> {
    const root = parseJobId(jobId);
    if (root === undefined) throw new LatticeError('internal', `${jobId} is not the id of a root job`);
    const { runId, epoch } = root;
    const head = await readHead(this.runtime.queue, runId);
    if (head?.epoch !== epoch) {
      // Somebody who did not know that the epoch was raised has added it since: nobody waits for it.
      this.clearer?.addJobs({ runId, epoch });
      return true;
    }
    if (head.state === 'final' || (await finaliseIfDone(this.runtime, runId))) return true;
    this.runtime.log.warn(
      { runId, left: head.left, state: head.state },
      'the root of a run came up while tasks are left',
    );
    await reconcileRun(this.runtime, runId, head);
    return finaliseIfDone(this.runtime, runId);
  }

  /** Root jobs can't be taken now; whoever takes them goes on trying. */
  rootsFailed(error: Error): void {
    this.runtime.log.warn({ err: error }, 'taking root jobs');
  }

  /** Stops in order: no new runs, then history, so that what ended is written down. */
  async stop(): Promise<void> {
    await this.unsubscribe?.();
    await this.stopSchedules?.();
    await this.control.stop();
    await this.waker.stop();
    const history = this.history?.close();
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await history;
    await Promise.all([...this.stalled.values()].map((queue) => queue.close()));
  }

  /** Results and idempotency keys whose time is over are never given, but they take room. */
  private async purge(): Promise<number> {
    await purgeCached(this.runtime.db);
    await purgeIdempotencyKeys(this.runtime.db);
    const gone = await retireClasses(this.runtime.queue, {
      before: Date.now() - RETIRE_MS,
      version: this.runtime.pin.version,
    });
    if (gone.length > 0) this.runtime.log.info({ classes: gone }, 'classes that nobody used for a day were taken away');
    return untilBeat(PURGE_MS);
  }

  /** A class whose workers are all gone has nobody else to see that their jobs are lost. */
  private async watchStalled(): Promise<number> {
    const own = this.runtime.pin.version;
    const names = await classNames(this.runtime.queue);
    // Who took steps of an older version may be gone as its workers.
    await this.watchQueues(
      names.filter((name) => name !== CONTROL_CLASS.name),
      own,
    );
    for (const version of this.mover?.older ?? []) await this.watchQueues(names, version);
    const watched = [...this.stalled.values()].map(({ className }) => className);
    for (const name of this.absences.look(watched, new Set(names))) await this.unwatch(name);
    return untilBeat(STALLED_MS);
  }

  private async unwatch(className: string): Promise<void> {
    this.absences.forget(className);
    for (const [id, queue] of this.stalled) {
      if (queue.className !== className) continue;
      this.stalled.delete(id);
      await queue.close();
    }
  }

  private async watchQueues(names: readonly string[], version: number): Promise<void> {
    for (const name of names) {
      const id = queueNameOf(name, version);
      if (this.stalled.has(id)) continue;
      const queue = new ClassQueue({
        queue: this.runtime.queue,
        className: name,
        version,
        workerId: 'scheduler',
        lockMs: this.runtime.settings.lock,
        stalledMs: STALLED_MS,
        onStalled: () => void tellReady(this.runtime.queue, [name]),
      });
      this.stalled.set(id, queue);
      await queue.watchStalled();
    }
  }
}

function told(sender: { tell(): void }, loop: Loop): void {
  sender.tell();
  loop.wake();
}
