import type { FlowPlan } from '@lattice/flow';
import {
  FlowProducer,
  QueueKeys,
  createRedisBackend,
  type FlowJob,
  type IRedisTransaction,
  type RedisQueueBackend,
} from 'bullmq';
import type { QueueConnection } from './connection';
import { wholeFlowOf, type FlowRun } from './flows';
import { rootIdOf } from './keys';
import { readyMessages, type Message } from './tell-ready';

type Entries = Parameters<RedisQueueBackend['addFlow']>[0];
type Results = Awaited<ReturnType<RedisQueueBackend['addFlow']>>;

/** A run whose jobs are made, here and not in Redis yet. One of the two is called, at most once; by none of them nothing is sent. */
export interface PreparedRun {
  /** Adds the jobs and wakes who takes jobs of the classes, in one transaction. The run hash must be there. Rejects as commands do. */
  send(classNames: Iterable<string>): Promise<void>;
  /** Nothing of it was sent, and nothing will be. */
  drop(): void;
}

interface Held {
  /** Settles when the jobs are to be added, with the messages that go along; undefined when they are dropped. */
  readonly messages: Promise<readonly Message[] | undefined>;
}

/**
 * Makes the jobs of runs before they are to be added: BullMQ does so as ever, and they are held back at the last moment. So it may be done while the
 * run is being stored, and the message that wakes the workers goes in the same trip.
 */
export class RunSender {
  private readonly producer: FlowProducer;
  /** By the id of the root job, until BullMQ has made the jobs. */
  private readonly held = new Map<string, Held>();

  constructor(private readonly queue: QueueConnection) {
    this.producer = new FlowProducer({ connection: queue.redis, prefix: queue.keys.prefix }, (name, options, shape) => {
      const backend = createRedisBackend(name, options, shape);
      backend.addFlow = (entries) => this.addHeld(backend, entries);
      return backend;
    });
    this.producer.on('error', (error: Error) => queue.options.onError(error));
  }

  /** Makes the jobs of a run. Undefined when they are too many for one transaction. */
  prepare(run: FlowRun, plan: FlowPlan, segments: readonly number[]): PreparedRun | undefined {
    const flow = wholeFlowOf(run, plan, segments);
    if (flow === undefined) return undefined;
    const { promise, resolve } = withResolver<readonly Message[] | undefined>();
    const added = this.add(rootIdOf(run), flow, { messages: promise });
    // Who sends hears of it.
    added.catch(() => undefined);
    return {
      send: async (classNames) => {
        resolve(readyMessages(classNames));
        await added;
      },
      drop: () => resolve(undefined),
    };
  }

  async close(): Promise<void> {
    await this.producer.close();
  }

  private async add(rootId: string, flow: FlowJob, held: Held): Promise<void> {
    this.held.set(rootId, held);
    try {
      await this.producer.add(flow);
    } finally {
      this.held.delete(rootId);
    }
  }

  private async addHeld(backend: RedisQueueBackend, entries: Entries): Promise<Results> {
    const rootId = entries[0]?.jobId ?? '';
    const held = this.held.get(rootId);
    // From here on nothing else knows of it: what is never sent, for whatever reason, leaves nothing behind.
    this.held.delete(rootId);
    const multi = (await backend.client).multi();
    await addJobs(backend, multi, entries);
    const messages = await held?.messages;
    if (messages === undefined) return [];
    for (const { channel, text } of messages) multi.runCommand('publish', [this.queue.keys.channel(channel), text]);
    const results = (await multi.exec()) ?? [];
    for (const [error] of results) if (error !== null) throw error;
    return results.slice(0, entries.length);
  }
}

/** The jobs as RedisQueueBackend.addFlow() adds them: the tree first, then each parent is released that waits for nothing. */
async function addJobs(backend: RedisQueueBackend, multi: IRedisTransaction, entries: Entries): Promise<void> {
  const parents = new Map<string, { id?: string; queueKey: string }>();
  for (const { prefix, queueName, jobData, jobId, parentKeyOpts } of entries) {
    const keys = new QueueKeys(prefix).getKeys(queueName);
    await backend.addJobToTransaction(multi, jobData, jobId, { ...parentKeyOpts, deferParentRelease: true }, keys);
    const { parentKey } = parentKeyOpts;
    if (jobData.parent !== undefined && parentKey !== undefined) parents.set(parentKey, jobData.parent);
  }
  for (const [key, { id, queueKey }] of parents)
    backend.execCommand(multi, 'releaseParentIfNoPendingDependencies', [
      key,
      `${key}:dependencies`,
      queueKey,
      id,
      Date.now(),
    ]);
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
