import type { QueueConnection } from './connection';
import { serverIn } from './trust';

/** Marks Redis as initialised, if it is not: from here on begin and record accept. Returns the epoch that stands. */
export async function initialise(queue: QueueConnection, epoch: string): Promise<string> {
  await queue.redis.set(queue.keys.epoch, epoch, 'NX');
  return (await queue.redis.get(queue.keys.epoch)) ?? '';
}

/** Says that the server of this name holds what Postgres knows: whoever is connected to it may begin. */
export async function confirmServer(queue: QueueConnection, server: string): Promise<void> {
  await queue.redis.set(queue.keys.server, server);
}

/** The epoch that Redis was initialised with; undefined when it lost its data or never had any. */
export async function readEpoch(queue: QueueConnection): Promise<string | undefined> {
  return (await queue.redis.get(queue.keys.epoch)) ?? undefined;
}

/** What a look at Redis finds, all of one moment. */
export interface Instance {
  /** Undefined when Redis lost its data or never had any. */
  readonly epoch: string | undefined;
  readonly server: string;
  /** The server that was confirmed last. */
  readonly confirmed: string | undefined;
  /** It has the entry `streamId` of the event stream, or has had it and took it out. An older Redis has neither. */
  readonly has: boolean;
}

/** Looks at Redis. `streamId` is the last entry that Postgres has, read before. */
export async function lookAt(queue: QueueConnection, streamId: string): Promise<Instance> {
  const { redis, keys } = queue;
  const replies = await redis
    .multi()
    .get(keys.epoch)
    .get(keys.server)
    .get(keys.mark)
    .xrange(keys.events, streamId, streamId)
    .info('server')
    .exec();
  const [epoch, confirmed, mark, entries, info] = (replies ?? []).map(([error, reply], index) => {
    // Where INFO is forbidden servers can't be told apart.
    if (error !== null && index < 4) throw error;
    return error === null ? reply : '';
  });
  const marked = typeof mark === 'string' ? mark : '0-0';
  return {
    epoch: typeof epoch === 'string' ? epoch : undefined,
    confirmed: typeof confirmed === 'string' ? confirmed : undefined,
    server: serverIn(info),
    has: !isBefore(marked, streamId) || (Array.isArray(entries) && entries.length > 0),
  };
}

function isBefore(a: string, b: string): boolean {
  const [timeA = 0, numberA = 0] = a.split('-').map(Number);
  const [timeB = 0, numberB = 0] = b.split('-').map(Number);
  return timeA < timeB || (timeA === timeB && numberA < numberB);
}

/** Takes the marks away: nobody begins or records until {@link initialise}, nor trusts this server until {@link confirmServer}. */
export async function forgetEpoch(queue: QueueConnection): Promise<void> {
  queue.trust.lose();
  await queue.redis.del(queue.keys.epoch, queue.keys.server);
}

/** Keys that go at once. */
const CHUNK = 500;

/** Removes all of the platform but what its workers tell of themselves: Postgres has what is worth having. */
export async function removeAll(queue: QueueConnection): Promise<void> {
  const { redis, keys } = queue;
  // Glob characters of the prefix are taken literally.
  const match = `${keys.prefix.replaceAll(/[[\]*?\\]/g, String.raw`\$&`)}:*`;
  for await (const batch of redis.scanStream({ match, count: CHUNK })) {
    const gone = (batch as string[]).filter((key) => !key.startsWith(keys.workers) && !key.startsWith(keys.worker('')));
    if (gone.length > 0) await redis.unlink(...gone);
  }
}
