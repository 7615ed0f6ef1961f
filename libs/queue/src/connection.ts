import { LatticeError } from '@lattice/contracts';
import { Redis } from 'ioredis';
import { keysOf, type Keys } from './keys';
import { Bus } from './bus';
import { Trust } from './trust';
import { writeTogether } from './write-together';

export interface QueueOptions {
  readonly redisUrl: string;
  readonly prefix: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** Called with errors of connections; they reconnect by themselves, for ever. */
  readonly onError: (error: Error) => void;
}

/** The connections of one process to Redis. BullMQ's classes share `redis`; blocking reads get one of their own. */
export interface QueueConnection {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly bus: Bus;
  readonly trust: Trust;
  readonly options: QueueOptions;
  /** A further connection, closed with this one. */
  duplicate(purpose: string): Redis;
  /** Gives up connections that may be dead without knowing it, and connects again; what waits for an answer is sent once more. */
  reconnect(): void;
  /** Milliseconds that a PING took. Rejects after the limit. */
  ping(limitMs: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * A connection on which a command waits for so long without any answer is given up: behind a router that forgot it, it would
 * be silent for ever. Longer than any read blocks (BullMQ: 10 s), and than a lock.
 */
const SILENT_MS = 20_000;

/** Reconnects after 50 ms, then ever more slowly up to 1 s: a queue without Redis has nothing else to do. */
function retryStrategy(times: number): number {
  return Math.min(50 * times, 1_000);
}

/** Connects, and checks that Redis will not throw jobs away. Rejects within 10 s when there is no Redis. */
export async function openQueue(options: QueueOptions): Promise<QueueConnection> {
  const opened: Redis[] = [];
  const keys = keysOf(options.prefix);
  const trust = new Trust({ keys, redis: () => redis });
  const connect = (purpose: string): Redis => {
    const redis = new Redis(options.redisUrl, {
      maxRetriesPerRequest: null,
      enableReadyCheck: true,
      connectTimeout: 10_000,
      keepAlive: 10_000,
      socketTimeout: SILENT_MS,
      retryStrategy,
      connectionName: `${options.name}:${purpose}`,
    });
    writeTogether(redis);
    redis.on('error', options.onError);
    // Whatever answers next may be another server.
    redis.on('close', () => trust.lose());
    opened.push(redis);
    return redis;
  };
  const redis = connect('main');
  const close = async (): Promise<void> => {
    trust.close();
    await Promise.all(opened.map(closeOne));
  };
  try {
    await withLimit(redis.ping(), 10_000, `no answer from Redis within 10 s`);
    await checkEvictionPolicy(redis, options.onError);
  } catch (error) {
    await close();
    throw error;
  }
  const bus = new Bus({ publisher: redis, connect: () => connect('bus'), keys });
  return {
    redis,
    keys,
    bus,
    trust,
    options,
    duplicate: connect,
    reconnect: () => {
      for (const one of opened) if (one.status === 'ready') one.disconnect(true);
    },
    ping: async (limitMs) => {
      const start = performance.now();
      await withLimit(redis.ping(), limitMs, `Redis did not answer within ${limitMs} ms`);
      return performance.now() - start;
    },
    close,
  };
}

/** A Redis that evicts keys would lose runs without a word: it is refused. One that does not tell its policy gets a warning. */
async function checkEvictionPolicy(redis: Redis, warn: (error: Error) => void): Promise<void> {
  let policy: string | undefined;
  try {
    const reply: unknown = await redis.config('GET', 'maxmemory-policy');
    const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
    policy = typeof value === 'string' ? value : undefined;
  } catch {
    policy = undefined;
  }
  if (policy === undefined) {
    warn(new Error('Redis does not tell its eviction policy; make sure that maxmemory-policy is noeviction'));
  } else if (policy !== 'noeviction') {
    const message = `Redis has maxmemory-policy ${policy} and may evict jobs; set it with: redis-cli config set maxmemory-policy noeviction`;
    throw new LatticeError('unavailable', message);
  }
}

async function closeOne(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  try {
    await withLimit(redis.quit(), 2_000, 'quit took too long');
  } catch {
    redis.disconnect();
  }
}

/** Rejects when the promise takes longer than the limit. What it waited for goes on. */
export async function withLimit<T>(promise: Promise<T>, limitMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LatticeError('unavailable', message)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
