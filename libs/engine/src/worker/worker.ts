import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname, totalmem } from 'node:os';
import type { SandboxLevel } from '@lattice/contracts';
import { createExecutors, type Executors, type Handler } from '@lattice/executor';
import type { ResourceClass, TaskDefinition } from '@lattice/flow';
import {
  ClassQueue,
  HEARTBEAT_MS,
  TakeLoop,
  heartbeat,
  leave,
  readClasses,
  type Announcement,
  type Taken,
} from '@lattice/queue';
import { z } from 'zod';
import { execute, type AttemptContext } from '../attempt/execute';
import { runJob } from '../attempt/run-job';
import { startLoop, type Loop } from '../loop';
import type { Runtime } from '../runtime';
import { meetsRules } from './labels';
import { fits, ResourceLedger } from './resource-ledger';

const SWEEP_MS = 1_000;
const STALLED_MS = 5_000;
/** A worker that stops lets its attempts end for so long before it stops them. */
const DRAIN_MS = 8_000;

const readySchema = z.array(z.string());
const controlSchema = z.union([z.object({ stop: z.string() }), z.object({ stopAll: z.literal(true) })]);

/** A worker: takes jobs of the classes it can serve, and does them. */
export class LatticeWorker {
  private readonly ledger: ResourceLedger;
  private readonly loop: TakeLoop;
  private readonly executors: Executors;
  private readonly context: AttemptContext;
  private readonly passedOver = new Set<string>();
  private readonly startedAt = new Date().toISOString();
  private heart: Loop | undefined;
  private unsubscribe: (() => Promise<void>)[] = [];
  private draining = false;
  /** Tells this process from an earlier one with the same worker id: a nonce must never come again. */
  private readonly life = randomUUID().slice(0, 8);
  private nonces = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly handlers: ReadonlyMap<string, Handler>,
  ) {
    const { worker, lock } = runtime.settings;
    this.ledger = new ResourceLedger({
      cpu: worker.cpus ?? availableParallelism(),
      memory: worker.memory ?? totalmem(),
      gpu: 0,
      slots: worker.concurrency,
    });
    this.executors = createExecutors({ workerId: worker.id, handlers, defaultLevel: worker.sandbox });
    this.context = {
      runtime,
      workerId: worker.id,
      nonce: () => `${this.life}.${(this.nonces += 1)}`,
      levelOf: (task) => this.levelOf(task),
      perform: (attempt) => execute({ runtime, executors: this.executors }, attempt),
    };
    this.loop = new TakeLoop({
      ledger: this.ledger,
      work: (taken, signal) => this.work(taken, signal),
      onError: (error) => runtime.log.warn({ err: error }, 'taking jobs'),
      onReleased: (classes) => this.tellReady(classes),
      lockMs: lock,
      sweepMs: SWEEP_MS,
    });
  }

  async start(): Promise<void> {
    const { runtime } = this;
    const reaped = await this.executors.reapOrphans();
    if (reaped.processes + reaped.containers > 0) runtime.log.warn(reaped, 'ended what an earlier worker left running');
    const catchUp = (): void => this.lookFor(() => this.classes());
    this.unsubscribe = [
      await runtime.queue.bus.subscribe('ready', { onMessage: (text) => this.ready(text), onReconnect: catchUp }),
      await runtime.queue.bus.subscribe('control', { onMessage: (text) => this.control(text) }),
    ];
    await heartbeat(runtime.queue, this.announcement());
    this.loop.start();
    await this.findClasses();
    this.heart = startLoop({ name: 'heartbeat', log: runtime.log, turn: () => this.beat() });
  }

  /** Takes no more jobs, lets those that run end, stops them after the deadline, and leaves. */
  async stop(): Promise<void> {
    this.draining = true;
    const deadline = setTimeout(() => this.loop.abort(() => true, 'worker_stops'), DRAIN_MS);
    await this.loop.drain();
    clearTimeout(deadline);
    await this.heart?.stop();
    for (const end of this.unsubscribe) await end();
    await this.executors.close();
    await this.loop.close();
    await leave(this.runtime.queue, this.context.workerId);
  }

  private async work(taken: Taken, signal: AbortSignal): ReturnType<typeof runJob> {
    try {
      return await runJob(this.context, taken, signal);
    } catch (error) {
      // Nothing is recorded: the job comes back when its lock has run out, and counts as lost then.
      this.runtime.log.error({ err: error, runId: taken.runId, taskKey: taken.taskKey }, 'a job could not be done');
      return { do: 'leave' };
    }
  }

  private levelOf(task: TaskDefinition): SandboxLevel {
    return task.level ?? this.runtime.settings.worker.sandbox;
  }

  private classes(): string[] {
    return [...this.known];
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
    return fits(need, this.ledger.total) && meetsRules(rules, this.runtime.settings.worker.labels);
  }

  private serve(entry: ResourceClass): void {
    this.known.add(entry.name);
    this.ledger.add(entry);
    const queue = new ClassQueue({
      queue: this.runtime.queue,
      className: entry.name,
      workerId: this.context.workerId,
      lockMs: this.runtime.settings.lock,
      stalledMs: STALLED_MS,
      onStalled: () => this.loop.wake([entry.name]),
    });
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
    const order = controlSchema.parse(JSON.parse(text));
    // Redis was lost: whatever runs here belongs to an epoch that is over.
    if ('stopAll' in order) this.loop.abort(() => true, 'heartbeat_lost');
    else this.loop.abort(({ runId }) => runId === order.stop, 'stopping');
  }

  private async beat(): Promise<number> {
    await heartbeat(this.runtime.queue, this.announcement());
    return HEARTBEAT_MS;
  }

  private announcement(): Announcement {
    const { cpu, memory, gpu } = this.ledger.total;
    return {
      workerId: this.context.workerId,
      host: hostname(),
      pid: process.pid,
      labels: { ...this.runtime.settings.worker.labels },
      handlers: [...this.handlers.keys()].sort(),
      resources: { cpu, memory, gpu },
      running: this.loop.running,
      startedAt: this.startedAt,
      draining: this.draining,
    };
  }
}
