import { Job, Worker } from 'bullmq';
import type { QueueConnection } from './connection';
import type { JobData } from './flows';

import { parseJobId, queueNameOf } from './keys';
import { putBack } from './put-back';

/** A job that this process holds: its lock is renewed until it is given back or acknowledged. */
export interface Taken {
  readonly runId: string;
  readonly epoch: number;
  /** The first task of the job. */
  readonly taskKey: string;
  readonly sha: string;
  readonly className: string;
  readonly token: string;
  readonly job: Job<JobData>;
}

/** What waits in the queue of a class. */
export interface Waiting {
  /** Ids of the first jobs, in the order in which they will be taken. */
  readonly ids: readonly string[];
  /** Priority of the first, as the queue has it: lower is first; undefined when none waits. */
  readonly priority: number | undefined;
  /** Delayed jobs whose time has come are there too: they are moved by whoever takes next. */
  readonly due: boolean;
}

/** How far a look reaches. */
const LOOK_JOBS = 100;
/** In the score of a waiting job: what BullMQ multiplies its priority with. */
const PRIORITY_STEP = 0x100000000;
/** In the score of a delayed job: what BullMQ multiplies its time with. */
const DELAY_STEP = 0x1000;

/** BullMQ counts stalls and gives up after some; losses are counted in the run hash instead. */
const MAX_STALLED = 1_000_000;

/** The consuming side of one class, driven by hand: take, renew, acknowledge, delay, give back. */
export class ClassQueue {
  private readonly worker: Worker<JobData>;
  private tokens = 0;

  constructor(
    private readonly options: {
      queue: QueueConnection;
      className: string;
      /** Version of the plans whose jobs are taken. */
      version: number;
      workerId: string;
      lockMs: number;
      stalledMs: number;
      /** A job whose lock ran out went back to the queue. */
      onStalled?: () => void;
    },
  ) {
    const { queue, lockMs, stalledMs, className, version } = options;
    this.worker = new Worker<JobData>(queueNameOf(className, version), null, {
      connection: queue.redis,
      prefix: queue.keys.prefix,
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      maxStalledCount: MAX_STALLED,
      skipLockRenewal: true,
      runRetryDelay: 500,
    });
    this.worker.on('error', (error) => queue.options.onError(error));
    this.worker.on('stalled', () => options.onStalled?.());
  }

  get className(): string {
    return this.options.className;
  }

  /** Begins to look for jobs whose lock ran out; they go back to the queue. */
  async watchStalled(): Promise<void> {
    await this.worker.waitUntilReady();
    await this.worker.startStalledCheckTimer();
  }

  /** The next job, or undefined when none waits. Also moves delayed jobs whose time has come. */
  async take(): Promise<Taken | undefined> {
    this.tokens += 1;
    const token = `${this.options.workerId}:${this.tokens}`;
    const job: Job<JobData> | undefined = await this.worker.getNextJob(token, { block: false });
    return job === undefined ? undefined : this.taken(job, token);
  }

  /** A job that another process of this worker took, when its lock still stands; it then holds for a whole span. */
  async adopt(jobId: string, token: string): Promise<Taken | undefined> {
    const job: Job<JobData> | undefined = await Job.fromId<JobData>(this.worker, jobId);
    if (job === undefined || Number(await job.extendLock(token, this.options.lockMs)) !== 1) return undefined;
    job.token = token;
    return this.taken(job, token);
  }

  /** Looks at what waits, without taking it. */
  async look(): Promise<Waiting> {
    const { redis } = this.options.queue;
    const replies = await redis
      .multi()
      // Jobs whose lock ran out come here, without their priority: they are taken before all others.
      .lrange(this.worker.toKey('wait'), String(-LOOK_JOBS), '-1')
      .zrange(this.worker.toKey('prioritized'), '0', String(LOOK_JOBS - 1), 'WITHSCORES')
      .zcount(this.worker.toKey('delayed'), '-inf', String((Date.now() + 1) * DELAY_STEP - 1))
      .exec();
    const [first, pairs] = [textsOf(replies?.[0]?.[1]).reverse(), textsOf(replies?.[1]?.[1])];
    const ids = [...first, ...pairs.filter((_, index) => index % 2 === 0)];
    const priority = first.length > 0 ? 0 : Math.floor(Number(pairs[1] ?? 0) / PRIORITY_STEP);
    return { ids, priority: ids.length === 0 ? undefined : priority, due: Number(replies?.[2]?.[1] ?? 0) > 0 };
  }

  /** Acknowledges a job; with `fetchNext` takes the next one in the same call. */
  async acknowledge(taken: Taken, fetchNext: boolean): Promise<Taken | undefined> {
    const reply = await taken.job.moveToCompleted(null, taken.token, fetchNext);
    const [json, id] = (reply ?? []) as [Parameters<typeof Job.fromJSON>[1] | null, string?];
    if (!json || id === undefined) return undefined;
    const job = Job.fromJSON<JobData>(this.worker, json, id);
    job.token = taken.token;
    return this.taken(job, taken.token);
  }

  /** Puts a job aside for so long. */
  async delay(taken: Taken, delayMs: number): Promise<void> {
    await taken.job.moveToDelayed(Date.now() + delayMs, taken.token);
  }

  /** Puts a job back, behind those of its priority that wait. (BullMQ's moveToWait would put it in front of them.) */
  async giveBack(taken: Taken): Promise<void> {
    await this.delay(taken, 0);
  }

  /** Puts a job that was put aside back at once. False when somebody was quicker. */
  async promote(taken: Taken): Promise<boolean> {
    return putBack(taken.job);
  }

  /** Renews locks; returns those that were lost. */
  async renew(held: readonly Taken[]): Promise<Taken[]> {
    const failed = await this.worker.extendJobLocks(
      held.map(({ job }) => job.id ?? ''),
      held.map(({ token }) => token),
      this.options.lockMs,
    );
    return held.filter(({ job }) => failed.includes(job.id ?? ''));
  }

  async close(): Promise<void> {
    await this.worker.close(true);
  }

  private taken(job: Job<JobData>, token: string): Taken | undefined {
    const id = parseJobId(job.id ?? '');
    if (id?.taskKey === undefined) return undefined;
    return {
      runId: id.runId,
      epoch: id.epoch,
      taskKey: id.taskKey,
      sha: job.data.sha,
      className: this.options.className,
      token,
      job,
    };
  }
}

function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
