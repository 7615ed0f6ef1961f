import type { Redis } from 'ioredis';
import { call } from './call-script';
import type { QueueConnection } from './connection';
import { serverTime } from './presence';

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

/** Removes the entries up to and including `streamId`: they are committed to Postgres, and Redis notes that. */
export async function trimStream(queue: QueueConnection, streamId: string): Promise<void> {
  const [ms = '0', sequence = '0'] = streamId.split('-');
  const next = `${ms}-${BigInt(sequence) + 1n}`;
  await call(queue.redis, 'trim', [queue.keys.events, queue.keys.mark], [ms, sequence, next]);
}

/** How many entries are not yet committed. */
export async function unreadEvents(queue: QueueConnection): Promise<number> {
  return queue.redis.xlen(queue.keys.events);
}

/** Appends an event of a run as a whole, at the time of Redis. */
export async function appendRunEvent(
  queue: QueueConnection,
  event: { type: string; runId: string; epoch: number; json: string },
): Promise<void> {
  const { redis, keys } = queue;
  const { type, runId, epoch, json } = event;
  const at = await serverTime(queue);
  await redis.xadd(keys.events, '*', 't', type, 'r', runId, 'e', epoch, 'm', at, 'd', json);
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
