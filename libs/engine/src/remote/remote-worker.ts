import { randomUUID } from 'node:crypto';
import { WORKER_FRAME_BYTES, type WorkerHello, type PlatformFrame } from '@lattice/contracts';
import type { ResourceClass } from '@lattice/flow';
import {
  HEARTBEAT_MS,
  heartbeat,
  leave,
  readClasses,
  type Announcement,
  type Disposal,
  type StoredOrder,
  type Taken,
} from '@lattice/queue';
import { execute } from '../attempt/execute';
import { runJob } from '../attempt/run-job';
import { startLoop, type Loop } from '../loop';
import type { Runtime } from '../runtime';
import { announcementOf, stateUnder } from '../worker/announce';
import { needsGpu } from '../worker/gpus/worker-gpus';
import { Intake } from '../worker/intake';
import { meetsRules } from '../worker/labels';
import { reluctanceOf } from '../worker/placement/reluctance';
import { fits } from '../worker/resource-ledger';
import { readLease } from './lease';
import { RemoteAttempts, type Report } from './remote-attempts';

/**
 * The platform's side of a worker at the other end of a connection: takes jobs for the handlers it has, sends their attempts to
 * it, and records what comes back. The locks of the jobs are the leases of the attempts. They are renewed while the connection
 * stands; when it breaks they are left as they are, so that the worker may bring its attempts to any process within that time.
 */
export class RemoteWorker {
  private readonly intake: Intake;
  private readonly attempts: RemoteAttempts;
  private readonly startedAt = new Date().toISOString();
  /** Tells the tokens of this connection from those of others of the same worker: none may ever come again. */
  private readonly life = randomUUID().slice(0, 8);
  private heart: Loop | undefined;
  private draining = false;
  private order: StoredOrder['order'] | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly hello: WorkerHello,
    private readonly send: (order: PlatformFrame) => void,
  ) {
    this.attempts = new RemoteAttempts(send);
    this.intake = new Intake({
      runtime,
      workerId: `${hello.workerId}:${this.life}`,
      capacity: { cpu: hello.resources.cpu, memory: hello.resources.memory, slots: hello.slots },
      canServe: (entry) => this.canServe(entry),
      // What the worker brings along is adopted before the heart beats, and is nobody else's to take.
      reluctance: (entry) =>
        this.heart === undefined ? 0 : reluctanceOf(entry, hello.labels, 1 - this.ledger.left.slots / hello.slots),
      admits: () => true,
      // What GPUs its machine has is not ours to lease.
      mayHaveGpus: () => false,
      takeGpus: () => Promise.resolve(undefined),
      giveBackGpus: () => undefined,
      work: (taken, signal) => this.work(taken, signal),
      onOrder: (order) => {
        if ('order' in order && order.order === hello.workerId) this.heart?.wake();
      },
    });
  }

  private get ledger(): Intake['ledger'] {
    return this.intake.ledger;
  }

  private get loop(): Intake['loop'] {
    return this.intake.loop;
  }

  /** Adopts what the worker brought along, tells it, and begins to take jobs. */
  async start(): Promise<void> {
    const { runtime } = this;
    await this.intake.listen();
    this.obey(await heartbeat(runtime.queue, this.announcement()));
    const classes = await readClasses(runtime.queue);
    const kept = await this.adoptAll(classes);
    const lost = this.hello.attempts.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
    const { lock } = runtime.settings;
    this.send({ op: 'welcome', leaseMs: lock, kept: [...kept], lost, maxFrame: WORKER_FRAME_BYTES });
    this.loop.start();
    for (const entry of classes) this.intake.consider(entry);
    this.heart = startLoop({ name: 'heartbeat', log: runtime.log, turn: () => this.beat() });
  }

  /** What the worker says of an attempt. A promise asks it to wait before it says more. */
  report(report: Report): void | Promise<void> {
    return this.attempts.report(report);
  }

  /** Takes no more jobs; those that run go on. */
  async drain(): Promise<void> {
    this.draining = true;
    await this.loop.drain();
  }

  /**
   * The connection is over. `comesBack`: the attempts go on in the worker, and their locks stand for a whole span from now, for
   * it to bring them; else they are given back at once and tried again elsewhere.
   */
  async detach({ comesBack }: { comesBack: boolean }): Promise<void> {
    const { runtime } = this;
    // Nothing new is taken from here on.
    const drained = this.loop.drain();
    if (comesBack) {
      await this.loop.renewAll().catch((error: unknown) => runtime.log.warn({ err: error }, 'renewing leases'));
    }
    // Before the abort, which would tell the worker to stop.
    this.attempts.disconnect();
    this.loop.abort(() => true, comesBack ? 'heartbeat_lost' : 'worker_stops');
    await drained;
    await this.heart?.stop();
    await this.intake.deafen();
    await this.loop.close();
    if (!comesBack) await leave(runtime.queue, this.announcement(), this.order === 'drain');
  }

  private async work(taken: Taken, signal: AbortSignal): Promise<Disposal> {
    const { runtime, hello, attempts } = this;
    const executors = attempts.executorsOf(taken);
    try {
      return await runJob(
        {
          runtime,
          workerId: hello.workerId,
          // The same for whoever goes on with this job: its attempt is then the same, not a second one.
          nonce: () => taken.token,
          levelOf: () => 'none',
          perform: (attempt) => execute({ runtime, executors, outside: true }, attempt),
        },
        taken,
        signal,
      );
    } catch (error) {
      runtime.log.error({ err: error, runId: taken.runId, taskKey: taken.taskKey }, 'a job could not be done');
      return { do: 'leave' };
    } finally {
      // A lock that is left for the worker to bring back is not over; then nobody listens any more.
      attempts.settle(taken);
    }
  }

  /** Ids of the attempts that go on: their jobs' locks still stand. */
  private async adoptAll(classes: readonly ResourceClass[]): Promise<Set<string>> {
    const kept = new Set<string>();
    const jobs = new Map<string, Taken | undefined>();
    for (const attempt of this.hello.attempts) {
      const lease = readLease(attempt.lease);
      const entry = classes.find(({ name }) => name === lease?.className);
      if (lease === undefined || entry === undefined || !this.canServe(entry)) continue;
      const known = jobs.has(attempt.lease);
      const lockedAt = Date.now();
      const taken = known ? jobs.get(attempt.lease) : await this.intake.serve(entry).adopt(lease.jobId, lease.token);
      jobs.set(attempt.lease, taken);
      if (taken === undefined || !attempt.id.startsWith(`${taken.runId}.${taken.epoch}.`)) continue;
      this.attempts.present(attempt, taken);
      if (known || (await this.loop.adopt(taken, lockedAt))) kept.add(attempt.id);
    }
    return kept;
  }

  /** Neither GPUs nor batches: both are made in the worker process itself. */
  private canServe({ uses, need, rules, handler, batch }: ResourceClass): boolean {
    if (needsGpu(need) || batch !== undefined) return false;
    if (uses !== 'handler' || handler === undefined || !this.hello.handlers.includes(handler)) return false;
    return fits(need, this.ledger.total) && meetsRules(rules, this.hello.labels);
  }

  private async beat(): Promise<number> {
    this.obey(await heartbeat(this.runtime.queue, this.announcement()));
    return HEARTBEAT_MS;
  }

  /** Drained or cordoned, it takes no more until it is told otherwise; what runs goes on. Its process is its owner's to end. */
  private obey(order: StoredOrder | undefined): void {
    if (order === undefined || order.order === this.order) return;
    this.order = order.order;
    this.loop.hold(order.order !== 'uncordon');
    this.heart?.wake();
  }

  private state(): Announcement['state'] {
    if (this.draining) return 'draining';
    return stateUnder(this.order, { running: this.loop.running, otherwise: 'online' });
  }

  private announcement(): Announcement {
    const { workerId, host, pid, node, labels, handlers } = this.hello;
    const base = announcementOf({
      workerId,
      // Of its process: a connection may be one of many that follow each other.
      life: `${host} ${pid}`,
      state: this.state(),
      labels,
      handlers: [...handlers].sort(),
      scripts: false,
      outside: true,
      gpus: [],
      batches: [],
      running: this.loop.running,
      startedAt: this.startedAt,
      provedAgo: this.loop.provedAgo,
      total: { ...this.ledger.total, gpu: 0 },
      free: { ...this.ledger.left, gpu: 0 },
      driver: null,
    });
    return { ...base, host, pid, versions: { ...base.versions, node }, load: { cpu: 0, memoryFree: 0 } };
  }
}
