import { PLAN_VERSION, type FlowPlan, type PlanJob } from '@lattice/flow';
import { ErrorCode, FlowProducer, Queue, type FlowJob, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueConnection } from './connection';
import { ROOT_QUEUE, bullPriority, jobIdOf, queueNameOf, rootIdOf } from './keys';
import { putBack } from './put-back';
import type { RunRef } from './run-ref';

/** What the jobs of a run are made from. */
export interface FlowRun extends RunRef {
  readonly priority: number;
  /** Identity of the document: a worker finds the plan by it. */
  readonly sha: string;
}

/** Data of every job: what a worker needs to find the rest. */
export interface JobData {
  readonly sha: string;
}

/** What is done while segments are added. */
export interface WhileAdding {
  /** Called with some of them before they are sent to be added: what it sends to Redis at once comes there before. */
  readonly adding?: (segments: readonly number[]) => Promise<void>;
  /** There are some for workers to take, and more to come. */
  readonly begun?: () => void;
}

/** Jobs that go into Redis in one transaction at most; more would hold up everybody else. */
const CHUNK = 500;
/**
 * Of jobs that go one part after the other: while Redis adds some, the next are made, and workers take the first. What a worker that
 * adds them asks besides waits for two parts: they are small.
 */
const STREAMED = 25;

/**
 * A root job that is released waits so long. Nearly always its run is final by then, and was taken out of Redis with it: it is
 * the net for those that nobody ended.
 */
const ROOT_DELAY_MS = 5_000;

/** BullMQ keeps its own event stream per queue; nothing of ours reads it. */
export const BULL_EVENTS = 100;

/** True of the error that tells that the root job, below which something was to be added, is not there. */
export function isRootGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ErrorCode.ParentJobNotExist;
}

interface PlainJob {
  readonly name: string;
  readonly data: JobData;
  readonly opts: JobsOptions;
}

/** The producer and queues of a process, over the connection it has. */
export class Flows {
  private readonly producer: FlowProducer;
  private readonly queues = new Map<string, Queue>();
  private readonly base: { connection: Redis; prefix: string };

  /** `version`: of the plans that this process goes by. */
  constructor(
    private readonly queue: QueueConnection,
    private readonly version: number = PLAN_VERSION,
  ) {
    this.base = { connection: queue.redis, prefix: queue.keys.prefix };
    this.producer = new FlowProducer(this.base);
    this.producer.on('error', (error: Error) => queue.options.onError(error));
  }

  /** The queue that jobs of a class wait in. */
  classQueue(className: string, version = this.version): Queue {
    return this.queueOf(queueNameOf(className, version));
  }

  /** A queue by its name. */
  queueOf(name: string): Queue {
    const known = this.queues.get(name);
    if (known !== undefined) return known;
    const made = new Queue(name, { ...this.base, streams: { events: { maxLen: BULL_EVENTS } } });
    made.on('error', (error: Error) => this.queue.options.onError(error));
    this.queues.set(name, made);
    return made;
  }

  /** Adds the root job of a run with its first segments. Adding again changes nothing while the jobs are kept. */
  async addRun(run: FlowRun, plan: FlowPlan, segments: readonly number[]): Promise<void> {
    const flows = flowsOf(run, plan, segments);
    await this.producer.add({ ...rootOf(run), children: flows.slice(0, CHUNK) });
    for (let at = CHUNK; at < flows.length; at += CHUNK) await this.addBelowRoot(run, flows.slice(at, at + CHUNK));
  }

  /**
   * Adds segments whose gates are open, below the root job, part after part: while Redis adds one, the next is made. Rejects with an error of
   * {@link isRootGone} when the root job is not there any more.
   */
  async addSegments(run: FlowRun, plan: FlowPlan, segments: readonly number[], on: WhileAdding = {}): Promise<void> {
    let before: Promise<unknown> = Promise.resolve();
    for (let at = 0; at < segments.length; at += STREAMED) {
      const part = segments.slice(at, at + STREAMED);
      const adding = Promise.all([on.adding?.(part), this.addBelowRoot(run, flowsOf(run, plan, part))]);
      // Its fault is told in its turn, or is that of the one before it.
      adding.catch(() => undefined);
      await before;
      if (at === STREAMED) on.begun?.();
      before = adding;
    }
    await before;
  }

  private async addBelowRoot(run: FlowRun, flows: readonly FlowJob[]): Promise<void> {
    const parent = { id: rootIdOf(run), queue: `${this.queue.keys.prefix}:${ROOT_QUEUE}` };
    const data: JobData = { sha: run.sha };
    const trees: FlowJob[] = [];
    // Jobs without children need no transaction, and cost half of what a flow does to be made.
    const plain = new Map<string, PlainJob[]>();
    for (const { name, queueName, opts, children } of flows) {
      const job = { name, data, opts: { ...opts, parent } };
      const alike = plain.get(queueName);
      if (children !== undefined) trees.push({ ...job, queueName, children });
      else if (alike === undefined) plain.set(queueName, [job]);
      else alike.push(job);
    }
    const [tree, ...more] = trees;
    await Promise.all([
      ...[...plain].map(([name, jobs]) => this.addPlain(name, jobs)),
      tree === undefined ? undefined : more.length > 0 ? this.producer.addBulk(trees) : this.producer.add(tree),
    ]);
  }

  private async addPlain(queueName: string, jobs: PlainJob[]): Promise<void> {
    const queue = this.queueOf(queueName);
    const [only] = jobs;
    if (jobs.length > 1) {
      const added = await queue.addBulk(jobs);
      // Of many it does not say that the root job is gone: in place of the id it gives the number of the fault. Of one it does.
      if (added.every(({ id }) => typeof id === 'string')) return;
    }
    if (only !== undefined) await queue.add(only.name, only.data, only.opts);
  }

  /**
   * Removes all jobs of a run. Returns false when one of them is active, or waits to be acknowledged: nothing was removed
   * then, try again later. Small runs go in one call; large ones job by job, so that no script runs long.
   */
  async removeRun(run: RunRef, plan: FlowPlan): Promise<boolean> {
    const jobs = plan.segments.flatMap((segment) => [...jobsOf(segment.job)]);
    const roots = this.queueOf(ROOT_QUEUE);
    if (jobs.length <= 100)
      return (await roots.remove(rootIdOf(run))) === 1 || (await roots.getJob(rootIdOf(run))) === undefined;
    if ((await roots.getJobState(rootIdOf(run))) === 'active') return false;
    let removed = true;
    for (let at = 0; at < jobs.length; at += CHUNK) {
      const chunk = jobs.slice(at, at + CHUNK);
      const counts = await Promise.all(
        chunk.map((job) =>
          this.queueOf(queueNameOf(job.class, plan.version)).remove(jobIdOf(run, job.id), { removeChildren: false }),
        ),
      );
      removed &&= counts.every((count) => count === 1);
    }
    if (!removed) return false;
    return (await roots.remove(rootIdOf(run), { removeChildren: false })) === 1;
  }

  /** True when the job is there and was not acknowledged. */
  async holdsJob(run: RunRef, job: PlanJob): Promise<boolean> {
    const state = await this.classQueue(job.class).getJobState(jobIdOf(run, job.id));
    return state !== 'completed' && state !== 'unknown';
  }

  /**
   * Removes all jobs of a run by what is in Redis, where no plan says what that is: the run went by one of another version. Returns
   * false when one of them is active, or waits to be acknowledged: try again later.
   */
  async removeJobs(run: RunRef): Promise<boolean> {
    const roots = this.queueOf(ROOT_QUEUE);
    const root = await roots.getJob(rootIdOf(run));
    if (root === undefined) return true;
    if (await root.isActive()) return false;
    // A tree at a time, so that no script runs long; the root goes last, with what is left.
    for (let cursor = 0, more = true; more;) {
      const { unprocessed = [], nextUnprocessedCursor = 0 } = await root.getDependencies({
        unprocessed: { cursor, count: CHUNK },
      });
      const trees = unprocessed.map(parseJobKey);
      const counts = await Promise.all(trees.map(({ name, id }) => this.queueOf(name).remove(id)));
      if (counts.some((count) => count !== 1)) return false;
      cursor = nextUnprocessedCursor;
      more = cursor !== 0;
    }
    return (await roots.remove(rootIdOf(run))) === 1;
  }

  /** Puts a job that was parked back into its queue. False when it is not put aside (any more, or yet). */
  async unpark(run: RunRef, job: { taskKey: string; className: string }): Promise<boolean> {
    const found = await this.classQueue(job.className).getJob(jobIdOf(run, job.taskKey));
    return found !== undefined && (await found.isDelayed()) && putBack(found);
  }

  /** Jobs that wait in a class, with those that are delayed or being worked on. */
  async countJobs(className: string): Promise<{ waiting: number; active: number; delayed: number }> {
    const counts = await this.classQueue(className).getJobCounts('prioritized', 'waiting', 'active', 'delayed');
    return {
      waiting: (counts['prioritized'] ?? 0) + (counts['waiting'] ?? 0),
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.close(), ...[...this.queues.values()].map((queue) => queue.close())]);
  }
}

/** The root job of a run with its first segments; undefined when they are too many for one transaction. */
export function wholeFlowOf(run: FlowRun, plan: FlowPlan, segments: readonly number[]): FlowJob | undefined {
  return segments.length > CHUNK ? undefined : { ...rootOf(run), children: flowsOf(run, plan, segments) };
}

function rootOf(run: FlowRun): FlowJob {
  const data: JobData = { sha: run.sha };
  return {
    name: 'run',
    queueName: ROOT_QUEUE,
    data,
    opts: { jobId: rootIdOf(run), priority: bullPriority(run.priority), attempts: 1, delay: ROOT_DELAY_MS },
  };
}

function flowsOf(run: FlowRun, plan: FlowPlan, segments: readonly number[]): FlowJob[] {
  return segments.flatMap((index) => {
    const segment = plan.segments[index];
    return segment === undefined ? [] : [flowOf(run, plan.version, segment.job)];
  });
}

function flowOf(run: FlowRun, version: number, job: PlanJob): FlowJob {
  const data: JobData = { sha: run.sha };
  return {
    name: job.tasks.length === 1 ? job.id : `${job.id}+${job.tasks.length - 1}`,
    queueName: queueNameOf(job.class, version),
    data,
    opts: { jobId: jobIdOf(run, job.id), priority: bullPriority(run.priority + (job.priority ?? 0)), attempts: 1 },
    ...(job.children.length === 0 ? {} : { children: job.children.map((child) => flowOf(run, version, child)) }),
  };
}

/** Queue and id of a job, from the name of its key: PREFIX:QUEUE:ID. */
function parseJobKey(key: string): { name: string; id: string } {
  const [id = '', name = ''] = key.split(':').reverse();
  return { name, id };
}

function* jobsOf(job: PlanJob): Generator<PlanJob> {
  for (const child of job.children) yield* jobsOf(child);
  yield job;
}
