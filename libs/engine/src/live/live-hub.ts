import { eventSchema, isFinalEvent, LatticeError, type RunEvent } from '@lattice/contracts';
import { lastEventId } from '@lattice/persistence';
import type { Engine } from '../context';
import { EventSequence } from './event-sequence';
import { followRun, type FollowOptions } from './follow-run';
import type { Attach, LiveListener } from './listener';
import { Ongoing } from './ongoing';
import { Turns } from './turns';
import { waitForEnd, type WaitOptions } from './wait-for-end';

/** The bus stays open so long after the last follower went: most followers come one after the other. */
const LINGER_MS = 5_000;
/** So often Postgres is asked for its last event: what the bus has not brought by the next time was lost. */
const PROBE_MS = 7_500;
/** A follower is told that the bus is not there after so long; the subscription goes on being tried. */
const BUS_LIMIT_MS = 5_000;

type Unsubscribe = () => Promise<void>;

/**
 * Followers of runs in this process, on ONE subscription to the bus, which is open only while there are followers. Events
 * come over the bus after their commit to Postgres, so whoever listens first and reads Postgres then misses nothing.
 */
export class LiveHub {
  private readonly channels = new Map<string, Set<LiveListener>>();
  private bus: Promise<Unsubscribe> | undefined;
  private busClosing: Promise<void> = Promise.resolve();
  private linger: NodeJS.Timeout | undefined;
  private probing: NodeJS.Timeout | undefined;
  private stopped: LatticeError | undefined;
  private readonly turns = new Turns();
  private readonly ongoing = new Ongoing();
  private sequence = new EventSequence();
  /** What Postgres had at the last look, and the bus had not brought. */
  private awaited: bigint | undefined;

  constructor(private readonly engine: Engine) {}

  /**
   * The events of a run after the given id (`'0'` for all), then those to come, each once and in order, as many at a time as
   * there are. Ends after the final event, or quietly when the signal aborts; throws `unavailable` when the bus or Postgres can't be reached or the hub is closed.
   */
  follow(
    runId: string,
    after: string,
    options: FollowOptions = {},
  ): AsyncGenerator<readonly RunEvent[], void, undefined> {
    return followRun(this.engine, this.attach, { runId, after, turns: this.turns, ...options });
  }

  /** Resolves when the run has ended, the time is over, the signal aborts or the hub is closed; does not say which. */
  async waitForEnd(runId: string, timeoutMs: number, options: WaitOptions = {}): Promise<void> {
    await waitForEnd(this.engine, this.attach, {
      runId,
      timeoutMs,
      goesOn: () => this.ongoing.has(runId),
      ...options,
    });
  }

  /** A run was just stored, and can't have ended yet: who waits for it need not look whether it has. */
  expect(runId: string): void {
    if (this.sequence.last !== undefined && this.bus !== undefined) this.ongoing.add(runId);
  }

  /** Followers and waiters there are now. */
  get listeners(): number {
    return [...this.channels.values()].reduce((sum, channel) => sum + channel.size, 0);
  }

  /** Ends every follower with the reason and closes the bus. */
  async close(reason: string): Promise<void> {
    this.stopped = new LatticeError('unavailable', reason);
    for (const channel of this.channels.values()) {
      for (const listener of channel) listener.stop(this.stopped);
    }
    this.channels.clear();
    this.closeBus();
    await within(BUS_LIMIT_MS, this.busClosing).catch(() => {
      this.engine.log.debug('the bus of live events did not answer its end');
    });
  }

  private readonly attach: Attach = async (runId, listener) => {
    if (this.stopped !== undefined) throw this.stopped;
    const channel = this.channels.get(runId) ?? new Set();
    this.channels.set(runId, channel);
    channel.add(listener);
    const detach = () => this.detach(runId, channel, listener);
    try {
      await this.openBus();
      return detach;
    } catch (cause) {
      detach();
      throw new LatticeError('unavailable', 'The bus of live events cannot be reached.', { cause });
    }
  };

  private detach(runId: string, channel: Set<LiveListener>, listener: LiveListener): void {
    channel.delete(listener);
    if (channel.size === 0 && this.channels.get(runId) === channel) this.channels.delete(runId);
    if (this.channels.size > 0 || this.stopped !== undefined) return;
    clearTimeout(this.linger);
    this.linger = setTimeout(() => this.closeBus(), LINGER_MS).unref();
  }

  private async openBus(): Promise<void> {
    clearTimeout(this.linger);
    // A subscription that is being given back is waited for: its end must not take the new one with it.
    const bus = (this.bus ??= this.busClosing.then(() => this.subscribe()));
    bus.catch(() => {
      if (this.bus === bus) this.bus = undefined;
    });
    await within(BUS_LIMIT_MS, bus);
  }

  private async subscribe(): Promise<Unsubscribe> {
    this.sequence = new EventSequence();
    this.ongoing.clear();
    const unsubscribe = await this.engine.queue.bus.subscribe('live', {
      onMessage: (text) => this.dispatch(text),
      onReconnect: () => this.checkAll(),
    });
    this.awaited = undefined;
    this.probing ??= setInterval(() => void this.probe(), PROBE_MS).unref();
    await this.probe();
    return unsubscribe;
  }

  private closeBus(): void {
    clearTimeout(this.linger);
    clearInterval(this.probing);
    this.probing = undefined;
    const bus = this.bus;
    if (bus === undefined) return;
    this.bus = undefined;
    this.ongoing.clear();
    this.busClosing = bus
      .then((unsubscribe) => unsubscribe())
      .catch((error: unknown) =>
        this.engine.log.debug({ err: error }, 'the bus of live events was gone before its end'),
      );
  }

  private dispatch(text: string): void {
    const events = parseList(text);
    if (events === undefined) {
      this.engine.log.warn({ length: text.length }, 'a message on the live bus was no list of events');
      return;
    }
    // Whatever was missed is in Postgres, and so are these: who is told to look there ignores what follows here.
    if (!this.sequence.continues(events)) this.checkAll();
    const size = text.length / Math.max(1, events.length);
    for (const value of events) this.dispatchOne(value, size);
  }

  private dispatchOne(value: unknown, size: number): void {
    const runId = textOf(value, 'runId');
    if (isFinalEvent(textOf(value, 'type'))) this.ongoing.ended(runId);
    const channel = this.channels.get(runId);
    if (channel === undefined) return;
    const event = eventSchema.safeParse(value);
    if (!event.success) {
      this.engine.log.warn({ err: event.error }, 'an event on the live bus has another shape');
      return;
    }
    for (const listener of channel) listener.deliver(event.data, size);
  }

  private checkAll(): void {
    this.ongoing.clear();
    for (const channel of this.channels.values()) for (const listener of channel) listener.check();
  }

  /**
   * The net under a lost message, by one look for all runs: ids have no holes, so when the bus brings all up to the last event
   * of Postgres, no run has more.
   */
  private async probe(): Promise<void> {
    try {
      const kept = BigInt(await lastEventId(this.engine.db));
      const { last, awaited } = { last: this.sequence.last, awaited: this.awaited };
      const isLost = last !== undefined && awaited !== undefined && awaited > last;
      // Before the first look nothing is missed: followers read Postgres when they come.
      if (last === undefined || isLost) this.sequence.reach(kept);
      this.awaited = last === undefined || isLost ? undefined : kept;
      if (isLost) this.checkAll();
    } catch (error) {
      this.engine.log.warn({ err: error }, 'the last event could not be looked up');
    }
  }
}

async function within(limitMs: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no subscription within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function parseList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, name: string): string {
  const field: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof field === 'string' ? field : '';
}
