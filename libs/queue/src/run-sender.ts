import type { FlowPlan } from '@lattice/flow';
import {
  FlowProducer,
  QueueKeys,
  createRedisBackend,
  type FlowJob,
  type IRedisTransaction,
  type RedisQueueBackend,
} from 'bullmq';
import { evalshaOf, forgetLoaded, isLoaded, type Argument } from './call-script';
import type { QueueConnection } from './connection';
import { wholeFlowOf, type FlowRun } from './flows';
import { rootIdOf } from './keys';
import { createArguments, createKeys, readCreated, type Created, type NewRunHash } from './run-scripts';
import { readyMessages, type Message } from './tell-ready';

type Entries = Parameters<RedisQueueBackend['addFlow']>[0];
type Results = Awaited<ReturnType<RedisQueueBackend['addFlow']>>;

/** A run whose jobs are made, here and not in Redis yet. One of the two must be called, once. */
export interface PreparedRun {
  /** Makes the run hash, adds the jobs and wakes who takes jobs of the classes: in one transaction, by one trip. Rejects as commands do. */
  send(made: NewRunHash, classNames: Iterable<string>): Promise<Created>;
  /** Nothing of it was sent, and nothing will be. */
  drop(): void;
}

/** What follows the jobs in their transaction. */
interface Rest {
  readonly create: readonly Argument[];
  readonly messages: readonly Message[];
}

interface Held {
  /** Settles when the run is to be sent; undefined when it is dropped. */
  readonly rest: Promise<Rest | undefined>;
  /** What `create` replied. */
  reply?: unknown;
}

/**
 * Sends runs in one trip. BullMQ makes the jobs of the flow as ever; that may go on while the run is being stored. They are held back at the last
 * moment, and the script that makes the run goes into their transaction. Where that script refuses, the jobs have come nevertheless: a job
 * without its run is dropped by whoever takes it.
 */
export class RunSender {
  private readonly producer: FlowProducer;
  /** By the id of the root job. */
  private readonly held = new Map<string, Held>();

  constructor(private readonly queue: QueueConnection) {
    this.producer = new FlowProducer({ connection: queue.redis, prefix: queue.keys.prefix }, (name, options, shape) => {
      const backend = createRedisBackend(name, options, shape);
      backend.addFlow = (entries) => this.addHeld(backend, entries);
      return backend;
    });
    this.producer.on('error', (error: Error) => queue.options.onError(error));
  }

  /** Makes the jobs of a run. Undefined when one transaction is not enough, or Redis has to be asked for its scripts first. */
  prepare(run: FlowRun, plan: FlowPlan, segments: readonly number[]): PreparedRun | undefined {
    const flow = wholeFlowOf(run, plan, segments);
    if (flow === undefined || !isLoaded(this.queue.redis, 'create')) return undefined;
    const { promise, resolve } = withResolver<Rest | undefined>();
    const held: Held = { rest: promise };
    const added = this.add(rootIdOf(run), flow, held);
    // Who sends hears of it.
    added.catch(() => undefined);
    return {
      send: async (made, classNames) => {
        const create = evalshaOf('create', createKeys(this.queue.keys, run), createArguments(run, made));
        resolve({ create, messages: readyMessages(classNames) });
        await added;
        return readCreated(held.reply);
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
    const held = this.held.get(entries[0]?.jobId ?? '');
    const multi = (await backend.client).multi();
    await addJobs(backend, multi, entries);
    const rest = await held?.rest;
    if (held === undefined || rest === undefined) return [];
    multi.runCommand('evalsha', [...rest.create]);
    for (const { channel, text } of rest.messages)
      multi.runCommand('publish', [this.queue.keys.channel(channel), text]);
    const results = (await multi.exec()) ?? [];
    for (const [error] of results) {
      if (error === null) continue;
      // Should Redis have lost the script: who sends a run next does so step by step, which brings it back.
      forgetLoaded(this.queue.redis, 'create');
      throw error;
    }
    held.reply = results[results.length - 1 - rest.messages.length]?.[1];
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
