import { eventSchema, isFinalEvent, type RunEvent } from '@lattice/contracts';
import { backoff, sleep } from './backoff';
import { isPassing, misfit, retryAfterOf, type Connection } from './request';
import { openStream, Silent } from './sse';

export interface EventsOptions {
  /** Gives only what comes after the event of this id; all from the first when absent. */
  after?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Milliseconds that the server may be away before this gives up with Unreachable. Default 120,000. */
  awayMs?: number | undefined;
  /** Milliseconds without a byte after which it connects anew. Default 45,000; the server sends a comment every 15 s. */
  idleMs?: number | undefined;
}

/** The server closes after the final event. Should it not, this many milliseconds later the run itself is looked at. */
const AFTER_FINAL_MS = 2_000;

interface Position {
  lastId: string | undefined;
  /** The last event given ended the run. After it a rerun may go on, so only the end of the stream decides. */
  final: boolean;
  /** The server has answered at least once. */
  connected: boolean;
  /** Breaks since something came, be it a sign of life. */
  failures: number;
  /** When the connection broke that has not been made again since. */
  lostAt: number | undefined;
}

/**
 * The events of a run in order, first those of the past, then live ones; each once, over any number of connections. Ends after the final
 * event. `isOver` is asked when the server ends a stream without a word (the run may have ended before `after`), and when it does not end one
 * after a final event: a rerun may have opened the run again.
 */
export async function* followEvents(
  connection: Connection,
  path: string,
  options: EventsOptions & { isOver: () => Promise<boolean> },
): AsyncGenerator<RunEvent, void, undefined> {
  const at: Position = { lastId: options.after, final: false, connected: false, failures: 0, lostAt: undefined };
  let wasOver = false;
  for (;;) {
    const before = at.lastId;
    try {
      yield* oneStream(connection, path, options, at);
      if (at.final) return;
      if (at.lastId === before) {
        if (wasOver) return;
        wasOver = await options.isOver();
      }
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (!isPassing(error)) throw error;
      if (at.final && error instanceof Silent) {
        if (await isOverFor(options)) return;
        at.final = false;
      }
      if (isTooLong(at, at.connected && !at.final, options.awayMs ?? 120_000)) {
        if (at.final) return;
        throw error;
      }
      await pause(at, retryAfterOf(error), options.signal);
      continue;
    }
    await pause(at, undefined, options.signal);
  }
}

async function* oneStream(
  connection: Connection,
  path: string,
  options: EventsOptions,
  at: Position,
): AsyncGenerator<RunEvent, void, undefined> {
  const idleMs = (): number => (at.final ? AFTER_FINAL_MS : (options.idleMs ?? 45_000));
  const onOver = (): void => void (at.final = true);
  const onOpen = (): void => {
    at.connected = true;
    at.lostAt = undefined;
  };
  // Not by an answer alone: a server that answers and then breaks off is asked less and less often.
  const onSign = (): void => void (at.failures = 0);
  const { signal } = options;
  const { lastId } = at;
  for await (const message of openStream(connection, { path, lastId, signal, idleMs, onOver, onOpen, onSign })) {
    const event = parseEvent(message.data, connection.url);
    if (!isAfter(event.id, at.lastId)) continue;
    at.lastId = event.id;
    at.final = isFinalEvent(event.type);
    yield event;
  }
}

/** A server that can't be asked after a final event is not waited for. */
async function isOverFor(options: { isOver: () => Promise<boolean> }): Promise<boolean> {
  try {
    return await options.isOver();
  } catch (error) {
    if (isPassing(error)) return true;
    throw error;
  }
}

/** Ids rise in the order of commits, so what is not above the last one was given already. */
function isAfter(id: string, lastId: string | undefined): boolean {
  return lastId === undefined || BigInt(id) > BigInt(lastId);
}

function parseEvent(data: string, url: string): RunEvent {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw misfit(url, 200, 'an event is not JSON');
  }
  const parsed = eventSchema.safeParse(json);
  if (!parsed.success || !/^\d+$/.test(parsed.data.id)) throw misfit(url, 200, 'an event of another shape');
  return parsed.data;
}

/** A server that never answered is given three more tries, one that was there a longer time to come back. */
function isTooLong(at: Position, patient: boolean, awayMs: number): boolean {
  at.lostAt ??= Date.now();
  return patient ? Date.now() - at.lostAt >= awayMs : at.failures >= 3;
}

async function pause(at: Position, retryAfterMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  const ms = Math.max(backoff(at.failures), retryAfterMs ?? 0);
  at.failures += 1;
  await sleep(ms, signal ?? new AbortController().signal);
}
