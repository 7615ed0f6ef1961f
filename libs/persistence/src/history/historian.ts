import type { Client } from 'pg';
import { z } from 'zod';
import { send, type Database, type Session } from '../database';
import { isConnectionLoss } from '../refusals';
import { compareStreamIds, readWatermark } from './watermark';
import { prepared } from '../statements';
import { WatermarkMoved, writeHistory, type HistoryResult } from './write-history';
import type { HistoryEntry } from './entry';

/** Advisory lock of the one historian of a database. */
const HISTORIAN_LOCK = 4_127_002;
/** Bounds of one statement: entries, and characters of their data. More come to several statements. */
const MOST_ENTRIES = 2_000;
const MOST_CHARACTERS = 8 * 1024 * 1024;
/**
 * Each change looks its row up by the primary key, whatever the planner thinks of the sizes of batch and table: reading a
 * whole table for a batch of 2,000 was ten times slower at 50,000 tasks. A historian whose machine died is noticed in 25 s.
 */
const SESSION_SETTINGS = [
  // What is committed is seen at once and is on disk a moment later; `flush` waits for that.
  'set synchronous_commit = off',
  'set plan_cache_mode = force_generic_plan',
  'set enable_hashjoin = off',
  'set enable_mergejoin = off',
  'set enable_seqscan = off',
  'set jit = off',
  'set tcp_keepalives_idle = 10',
  'set tcp_keepalives_interval = 5',
  'set tcp_keepalives_count = 3',
].join(';');

const FLUSH = prepared('flush-log');

const lockSchema = z.object({ locked: z.boolean() });

/**
 * The one writer of history. It holds an advisory lock on a connection of its own and writes on that connection, so that it
 * can't write when it has lost the lock; the watermark, moved by each write, refuses a second writer besides.
 */
export interface Historian {
  /** True while this process holds the lock, as far as it knows. */
  readonly held: boolean;
  /** Takes the lock if no other process holds it; true when it is held afterwards. Connects when there is no connection. */
  tryAcquire(): Promise<boolean>;
  /**
   * Commits entries, ascending by stream id. Those that history has already are passed over (`ids` has null for them).
   * When it throws, a first part of the batch may be committed: give the whole batch again. Throws when the lock is not held.
   */
  write(batch: readonly HistoryEntry[]): Promise<HistoryResult>;
  /**
   * Resolves when all that was written before is on disk. A Postgres that crashes sooner loses the end of history, with the
   * watermark: the entries must stay where they are until then, and are written again, under the same ids.
   */
  flush(): Promise<void>;
  /** Waits for the write in flight, gives the lock back and ends the connection. */
  close(): Promise<void>;
}

interface Holding {
  client: Client;
  session: Session;
  /** Stream id of the watermark; undefined when a write ended without saying where it stands. */
  position: string | undefined;
}

/** A historian that does not hold the lock yet. `onLost` is called once for each time that the lock is lost. */
export function openHistorian(db: Database, options: { onLost?: (error: Error) => void } = {}): Historian {
  let holding: Holding | undefined;
  let last: Promise<unknown> = Promise.resolve();
  /** One thing at a time: a write must know where the one before it ended. */
  const inTurn = <T>(fn: () => Promise<T>): Promise<T> => {
    const next = last.then(fn);
    last = next.catch(() => undefined);
    return next;
  };
  const lose = (client: Client, error: Error): void => {
    if (holding?.client !== client) return;
    holding = undefined;
    client.end().catch(() => undefined);
    options.onLost?.(error);
  };
  return {
    get held() {
      return holding !== undefined;
    },
    tryAcquire: () =>
      inTurn(async () => {
        holding ??= await acquire(db, lose);
        return holding !== undefined;
      }),
    write: (batch) =>
      inTurn(async () => {
        const held = holding;
        if (held === undefined) throw new Error('This process does not hold the lock of the historian.');
        try {
          return await write(held, batch);
        } catch (error) {
          // The statement may fail before the client says that its connection is gone.
          if (isConnectionLoss(error))
            lose(held.client, new Error('The historian lost its connection.', { cause: error }));
          throw error;
        }
      }),
    flush: async () => {
      await db.query(FLUSH);
    },
    close: () =>
      inTurn(async () => {
        const { client } = holding ?? {};
        holding = undefined;
        await client?.end();
      }),
  };
}

async function acquire(db: Database, lose: (client: Client, error: Error) => void): Promise<Holding | undefined> {
  const client = db.dedicatedClient();
  client.on('error', (error) => lose(client, error));
  client.on('end', () => lose(client, new Error('The connection of the historian ended.')));
  try {
    await client.connect();
    await client.query(SESSION_SETTINGS);
    const session: Session = { query: (statement, params) => send(client, statement, params) };
    const [row] = await session.query('select pg_try_advisory_lock($1) as locked', [HISTORIAN_LOCK]);
    if (lockSchema.parse(row).locked) return { client, session, position: undefined };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end();
  return undefined;
}

async function write(holding: Holding, batch: readonly HistoryEntry[]): Promise<HistoryResult> {
  assertAscending(batch);
  // A raised epoch may have let the watermark fall back: no entry is passed over on the word of memory alone.
  if (isKnown(batch[0], holding.position)) holding.position = undefined;
  const result: HistoryResult = { ids: [], faults: [] };
  while (result.ids.length < batch.length) {
    const start = result.ids.length;
    const position = (holding.position ??= (await readWatermark(holding.session)).streamId);
    if (isKnown(batch[start], position)) {
      result.ids.push(null);
      continue;
    }
    const written = await writeChunk(holding, position, batch.slice(start, endOfChunk(batch, start)));
    result.ids.push(...written.ids);
    result.faults.push(...written.faults);
  }
  return result;
}

function isKnown(entry: HistoryEntry | undefined, position: string | undefined): boolean {
  return entry !== undefined && position !== undefined && compareStreamIds(entry.streamId, position) <= 0;
}

/** Leaves the position unknown unless all went well; writes nothing when the watermark stands elsewhere: look again. */
async function writeChunk(holding: Holding, position: string, chunk: readonly HistoryEntry[]): Promise<HistoryResult> {
  holding.position = undefined;
  try {
    const written = await writeHistory(holding.session, position, chunk);
    holding.position = chunk.at(-1)?.streamId;
    return written;
  } catch (error) {
    if (error instanceof WatermarkMoved) return { ids: [], faults: [] };
    throw error;
  }
}

function endOfChunk(batch: readonly HistoryEntry[], start: number): number {
  let characters = 0;
  let end = start;
  for (; end < batch.length && end - start < MOST_ENTRIES; end += 1) {
    characters += batch[end]?.data.length ?? 0;
    if (characters > MOST_CHARACTERS && end > start) break;
  }
  return end;
}

function assertAscending(batch: readonly HistoryEntry[]): void {
  batch.forEach((entry, index) => {
    const before = batch[index - 1];
    if (before !== undefined && compareStreamIds(before.streamId, entry.streamId) >= 0) {
      throw new Error(`Stream entries are out of order: ${before.streamId} before ${entry.streamId}.`);
    }
  });
}
