import { randomUUID } from 'node:crypto';
import { FlowProducer, Queue, Worker, type FlowJob } from 'bullmq';
import { Redis } from 'ioredis';
import { range } from './graphs';

/** The payload that a job of ours carries: the fingerprint of its document. */
const DATA = { sha: 'f'.repeat(64) };
const NAME = 'raw';
const CHUNK = 500;

/** Plain BullMQ on the same Redis: one producer and one worker, in the process that measures. */
export class Raw {
  private readonly redis: Redis;
  private readonly blocking: Redis;
  private readonly prefix = `{raw-${randomUUID()}}`;
  private readonly producer: FlowProducer;
  private readonly queue: Queue;
  private readonly worker: Worker;
  private onCompleted: (id: string) => void = () => undefined;

  constructor(redisUrl: string, concurrency: number) {
    this.redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
    this.blocking = new Redis(redisUrl, { maxRetriesPerRequest: null });
    const base = { connection: this.redis, prefix: this.prefix };
    this.producer = new FlowProducer(base);
    this.queue = new Queue(NAME, base);
    this.worker = new Worker(NAME, () => Promise.resolve(null), {
      connection: this.blocking,
      prefix: this.prefix,
      concurrency,
    });
    this.worker.on('completed', (job) => this.onCompleted(job.id ?? ''));
  }

  async ready(): Promise<void> {
    await this.worker.waitUntilReady();
  }

  /** Milliseconds from the first add until every flow has drained. */
  async flows(make: () => FlowJob, count: number): Promise<number> {
    const roots = range(count).map(() => {
      const flow = make();
      return { ...flow, opts: { ...flow.opts, jobId: randomUUID() } };
    });
    const drained = this.drained(new Set(roots.map(({ opts }) => opts.jobId)));
    const start = performance.now();
    const [only] = roots;
    if (roots.length === 1 && only !== undefined) await this.producer.add(only);
    else for (let at = 0; at < roots.length; at += 50) await this.producer.addBulk(roots.slice(at, at + 50));
    await drained;
    const took = performance.now() - start;
    await this.clear();
    return took;
  }

  /** Milliseconds from the first add until so many single jobs have drained. */
  async jobs(count: number): Promise<number> {
    const ids = range(count).map(() => randomUUID());
    const drained = this.drained(new Set(ids));
    const start = performance.now();
    for (let at = 0; at < count; at += CHUNK) {
      const chunk = ids.slice(at, at + CHUNK);
      await this.queue.addBulk(chunk.map((jobId) => ({ name: 'job', data: DATA, opts: { jobId } })));
    }
    await drained;
    const took = performance.now() - start;
    await this.clear();
    return took;
  }

  async close(): Promise<void> {
    await this.worker.close();
    await this.producer.close();
    await this.queue.close();
    await this.clear();
    this.redis.disconnect();
    this.blocking.disconnect();
  }

  private drained(left: Set<string>): Promise<void> {
    return new Promise((resolve) => {
      this.onCompleted = (id) => {
        if (left.delete(id) && left.size === 0) resolve();
      };
    });
  }

  /** What a measured round has left goes before the next, outside of its time. The keys of the queue itself stay. */
  private async clear(): Promise<void> {
    await this.queue.clean(0, 1_000_000, 'completed');
    for await (const keys of this.redis.scanStream({ match: `${this.prefix}:${NAME}:*-*-*`, count: 1_000 })) {
      const found = keys as string[];
      if (found.length > 0) await this.redis.unlink(found);
    }
  }
}

/** A job with children, of the one queue there is. */
export function job(children: readonly FlowJob[] = []): FlowJob {
  return { name: 'job', queueName: NAME, data: DATA, ...(children.length === 0 ? {} : { children: [...children] }) };
}

export function rawChain(length: number): FlowJob {
  return range(length - 1).reduce((child) => job([child]), job());
}

/** `width` children below one job. */
export function rawFanIn(width: number): FlowJob {
  return job(range(width).map(() => job()));
}
