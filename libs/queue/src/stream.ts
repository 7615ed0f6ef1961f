import type { Redis } from 'ioredis';
import type { QueueConnection } from './connection';

/** An entry of the event stream as it was appended. `data` is JSON text, `at` milliseconds by the clock of Redis. */
export interface StreamEntry {
  readonly streamId: string;
  readonly type: string;
  readonly runId: string;
  readonly epoch: number;
  readonly taskKey: string | null;
  readonly attempt: number | null;
  /** Bytes of an output that is kept in Postgres. */
  readonly outputBytes: number | null;
  readonly at: number;
  readonly data: string;
  /** RUN|TASK that started the run, where its end is told; '' when nothing did. */
  readonly parent: string;
}

/** Entries after `afterId`, oldest first; waits up to `blockMs` for the first one. Needs a connection of its own. */
export async function readStream(
  redis: Redis,
  queue: QueueConnection,
  options: { afterId: string; count: number; blockMs: number },
): Promise<StreamEntry[]> {
  const reply = await redis.xread(
    'COUNT',
    options.count,
    'BLOCK',
    options.blockMs,
    'STREAMS',
    queue.keys.events,
    options.afterId,
  );
  const [stream] = reply ?? [];
  return (stream?.[1] ?? []).map(([id, fields]) => entryOf(id, fields));
}

function entryOf(streamId: string, fields: readonly string[]): StreamEntry {
  const entry = {
    streamId,
    type: '',
    runId: '',
    epoch: 0,
    taskKey: null as string | null,
    attempt: null as number | null,
    outputBytes: null as number | null,
    at: 0,
    data: '{}',
    parent: '',
  };
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1] ?? '';
    switch (fields[index] ?? '') {
      case 't':
        entry.type = value;
        break;
      case 'r':
        entry.runId = value;
        break;
      case 'e':
        entry.epoch = Number(value);
        break;
      case 'k':
        entry.taskKey = value;
        break;
      case 'a':
        entry.attempt = value === '0' ? null : Number(value);
        break;
      case 'b':
        entry.outputBytes = value === '' ? null : Number(value);
        break;
      case 'm':
        entry.at = Number(value);
        break;
      case 'd':
        entry.data = value;
        break;
      case 'p':
        entry.parent = value;
        break;
    }
  }
  return entry;
}

/** Removes the entries up to and including `streamId`: they are committed to Postgres. */
export async function trimStream(queue: QueueConnection, streamId: string): Promise<void> {
  const [ms, sequence] = streamId.split('-');
  await queue.redis.xtrim(queue.keys.events, 'MINID', `${ms}-${BigInt(sequence ?? '0') + 1n}`);
}

/** The newest id ever given out by the stream, also of entries that were trimmed; '0-0' when there is no stream. */
export async function lastStreamId(queue: QueueConnection): Promise<string> {
  if ((await queue.redis.exists(queue.keys.events)) === 0) return '0-0';
  const info: unknown = await queue.redis.xinfo('STREAM', queue.keys.events);
  if (!Array.isArray(info)) throw new TypeError('XINFO STREAM replied no list');
  const fields: unknown[] = info;
  const id = fields[fields.indexOf('last-generated-id') + 1];
  return typeof id === 'string' ? id : '0-0';
}

/** How many entries are not yet committed. */
export async function unreadEvents(queue: QueueConnection): Promise<number> {
  return queue.redis.xlen(queue.keys.events);
}

/** Appends an event that needs no check of its token (logs, progress): it stands under its attempt, whoever won. */
export async function appendEvent(
  queue: QueueConnection,
  event: { type: string; runId: string; epoch: number; taskKey: string; attempt: number; json: string; at: number },
): Promise<void> {
  await queue.redis.xadd(
    queue.keys.events,
    '*',
    't',
    event.type,
    'r',
    event.runId,
    'e',
    event.epoch,
    'k',
    event.taskKey,
    'a',
    event.attempt,
    'm',
    event.at,
    'd',
    event.json,
  );
}
