import { isEventType, isFinalEvent } from '@lattice/contracts';
import { openHistorian, readWatermark, type Historian, type HistoryEntry } from '@lattice/persistence';
import { readStream, trimStream, untilBeat, type StreamEntry } from '@lattice/queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { Runtime } from '../runtime';

const BATCH = 2_000;
const BLOCK_MS = 1_000;
/** After so many reads that brought nothing the watermark is read again. */
const EMPTY_READS = 10;
/** Entries wait so long for others at most, so that few tasks do not cost many writes; the end of a run waits for nothing. */
const HOLD_MS = 20;
/** While entries wait the first reads follow each other at once, for the end of a short run, and the others so many milliseconds apart. */
const REREAD_MS = 1;
const REREADS_AT_ONCE = 3;
/** What is written is brought to the disk, and taken out of Redis, so much later: with what comes until then. */
const FLUSH_MS = 40;
/** Milliseconds between two tries to become the historian. */
const STANDBY_MS = 1_000;

/** A run that ended, and is in Postgres as such. */
export interface EndedRun {
  readonly runId: string;
  readonly epoch: number;
  /** RUN|TASK that started the run; '' when nothing did. */
  readonly parent: string;
}

/** Entries that were read and are to be written with those that come. */
interface Held {
  readonly entries: StreamEntry[];
  readonly since: number;
  readonly reads: number;
  /** Of the trust in Redis. */
  readonly generation: number;
}

/**
 * Moves events from the stream to Postgres, in order and each once, then tells the live ones. One process at a time holds
 * the lock; another takes over when its session ends.
 */
export class HistoryWriter {
  private readonly historian: Historian;
  private readonly redis;
  /** Undefined when it must be read from Postgres. */
  private position: string | undefined;
  private writing: Promise<void> = Promise.resolve();
  private following: Promise<void> = Promise.resolve();
  private emptyReads = 0;
  private held: Held | undefined;
  /** Another number each time that what was read, or written, may not hold any more. */
  private reading = 0;
  private unflushed: { readonly lastId: string; readonly ended: readonly EndedRun[] }[] = [];
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly on: {
      /** Entries are in Postgres. */
      wrote: (batch: readonly HistoryEntry[]) => void;
      /** Their end is in Postgres. */
      ended: (runs: readonly EndedRun[]) => void;
      /** Their end is on the disk of Postgres: nothing is needed of them any more. */
      kept: (runs: readonly EndedRun[]) => void;
      /** Another process may have died with committed events in its hands: what it was to do about them is to be found. */
      tookOver: () => Promise<void>;
    },
  ) {
    this.redis = runtime.queue.duplicate('history');
    this.historian = openHistorian(runtime.db, {
      onLost: (error) => {
        this.forget();
        runtime.log.warn({ err: error }, 'the lock of the historian was lost');
      },
    });
  }

  /** True while this process is the one that writes history. */
  get holdsLock(): boolean {
    return this.historian.held;
  }

  /** One read and one write. Returns milliseconds until the next turn. */
  async turn(signal: AbortSignal): Promise<number> {
    if (!this.historian.held) {
      if (!(await this.historian.tryAcquire())) return STANDBY_MS;
      await this.takeOver(signal);
    }
    const { trust } = this.runtime.queue;
    // Of an older Redis nothing may get into Postgres.
    if (!trust.holds) {
      this.forget();
      await trust.wait(signal);
    }
    return this.read(trust.generation);
  }

  /** Reads what has come. Returns milliseconds until the next turn. */
  private async read(generation: number): Promise<number> {
    const { held, reading } = this;
    const afterId =
      held?.entries.at(-1)?.streamId ?? (this.position ??= (await readWatermark(this.runtime.db)).streamId);
    const blockMs =
      held === undefined
        ? Math.ceil(untilBeat(BLOCK_MS))
        : Math.max(1, Math.ceil(held.since + HOLD_MS - performance.now()));
    const entries = await readStream(this.redis, this.runtime.queue, { afterId, count: BATCH, blockMs });
    const nothing = entries.length === 0 && held === undefined;
    if (nothing) this.emptyReads += 1;
    // The epoch may have been raised, and the watermark with it.
    const mayHaveMoved = nothing && this.emptyReads % EMPTY_READS === 0;
    // The lock was lost meanwhile, and Postgres may have lost what was written last.
    if (this.reading !== reading) return 0;
    if (mayHaveMoved || this.runtime.queue.trust.generation !== (held?.generation ?? generation)) this.forget();
    else if (!nothing)
      return this.hold(held ?? { entries: [], since: performance.now(), reads: 0, generation }, entries);
    return 0;
  }

  /** Writes what was read, or keeps it for a moment. Returns milliseconds until the next turn. */
  private async hold(held: Held, more: readonly StreamEntry[]): Promise<number> {
    const entries = [...held.entries, ...more];
    const due = performance.now() - held.since >= HOLD_MS || entries.length >= BATCH;
    if (!due && !more.some(({ type }) => isFinalEvent(type))) {
      this.held = { ...held, entries, reads: held.reads + 1 };
      return held.reads < REREADS_AT_ONCE ? 0 : REREAD_MS;
    }
    this.held = undefined;
    this.writing = this.write(entries);
    await this.writing;
    return 0;
  }

  /** What was read may be of another Redis, or of another historian by now: it is read again. */
  private forget(): void {
    this.held = undefined;
    this.position = undefined;
    this.reading += 1;
  }

  /** Resolves when no write is in progress; none begins while the Redis is not trusted. */
  async settled(): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.following;
    await this.flushing;
  }

  private async takeOver(signal: AbortSignal): Promise<void> {
    const { queue, db } = this.runtime;
    // Of a Redis that is not the one the watermark speaks of, nothing is thrown away.
    await queue.trust.wait(signal);
    const { streamId } = await readWatermark(db);
    await this.historian.flush();
    await trimStream(queue, streamId);
    await this.on.tookOver();
  }

  async close(): Promise<void> {
    // A blocking read ends only with its connection.
    this.redis.disconnect();
    await this.historian.close();
    await this.following;
    await this.flushing;
  }

  private async write(entries: readonly StreamEntry[]): Promise<void> {
    const lastId = entries.at(-1)?.streamId ?? '';
    const { reading } = this;
    this.position = undefined;
    const batch = entries.flatMap((entry) => this.entryOf(entry));
    const { ids, faults } = await this.historian.write(batch);
    for (const fault of faults) this.runtime.log.error(fault, 'Postgres refused an event; it is in faulty_events');
    this.on.wrote(batch);
    await this.runtime.race?.('after-flush', { runId: batch[0]?.runId ?? '' });
    // The next batch need not wait for what follows from this one; more than one ahead it does not go.
    await this.following;
    this.following = this.follow(batch, ids);
    if (this.reading === reading) this.position = lastId;
    const ended = entries
      .filter(({ type }) => isFinalEvent(type))
      .map(({ runId, epoch, parent }) => ({ runId, epoch, parent }));
    if (ended.length > 0) this.on.ended(ended);
    this.unflushed.push({ lastId, ended });
    this.flushing ??= pause(FLUSH_MS)
      .then(() => this.flush())
      .finally(() => (this.flushing = undefined));
  }

  /** Entries leave the stream, and runs Redis, once what was written of them can't get lost. Should that fail, the next write tries again. */
  private async flush(): Promise<void> {
    while (this.unflushed.length > 0) {
      const upTo = this.unflushed.length;
      const lastId = this.unflushed[upTo - 1]?.lastId ?? '';
      try {
        await this.historian.flush();
        await trimStream(this.runtime.queue, lastId);
      } catch (error) {
        this.runtime.log.warn({ err: error }, 'committed events could not be taken out of the stream');
        return;
      }
      const ended = this.unflushed.splice(0, upTo).flatMap((written) => written.ended);
      if (ended.length > 0) this.on.kept(ended);
    }
  }

  /** What is committed is told. Should that fail, followers look into Postgres. */
  private async follow(batch: readonly HistoryEntry[], ids: readonly (string | null)[]): Promise<void> {
    try {
      await this.publish(batch, ids);
    } catch (error) {
      this.runtime.log.warn({ err: error }, 'committed events could not be told');
    }
  }

  private entryOf(entry: StreamEntry): HistoryEntry[] {
    const { type } = entry;
    if (isEventType(type)) return [{ ...entry, type }];
    this.runtime.log.error({ type, streamId: entry.streamId }, 'an event of an unknown type was passed over');
    return [];
  }

  /** Live events, with the ids that Postgres gave them. Their data is JSON text already and is not parsed for this. */
  private async publish(batch: readonly HistoryEntry[], ids: readonly (string | null)[]): Promise<void> {
    const frames = batch.flatMap((entry, index) => {
      const id = ids[index];
      if (id === null || id === undefined) return [];
      const { type, runId, taskKey, attempt, at, data } = entry;
      const head = JSON.stringify({ id, type, runId, taskKey, attempt, at: new Date(at).toISOString() });
      return [`${head.slice(0, -1)},"data":${data}}`];
    });
    if (frames.length > 0) await this.runtime.queue.bus.publish('live', `[${frames.join(',')}]`);
  }
}
