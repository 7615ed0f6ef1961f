import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { ApiError, Unreachable, reasonOf } from './errors';
import { apiErrorOf, misfit, send, type Call, type Connection } from './request';

export interface StreamOptions {
  path: string;
  /** Sent as Last-Event-ID. */
  lastId: string | undefined;
  signal: AbortSignal | undefined;
  /** Milliseconds without a byte (comments count) after which the connection is taken for dead; asked anew each time. */
  idleMs: () => number;
  /** The server says that there is nothing more, now or later (204). */
  onOver: () => void;
  /** The server has answered. */
  onOpen: () => void;
  /** Something came, be it a comment. */
  onSign: () => void;
}

/** Nothing came for so long that the connection is taken for dead. */
export class Silent extends Unreachable {}

/**
 * One server-sent event stream, from connecting to its end. Returns when the server ends it; throws ApiError when it is refused,
 * Unreachable when the connection breaks, Silent when nothing came for too long.
 */
export async function* openStream(connection: Connection, options: StreamOptions): AsyncGenerator<EventSourceMessage> {
  const ended = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ended.signal]) : ended.signal;
  const silent = new Silent(connection.url, 'the event stream was silent for too long');
  let timer = setTimeout(() => ended.abort(silent), options.idleMs());
  const touch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => ended.abort(silent), options.idleMs());
  };
  try {
    const body = await connect(connection, options, signal);
    options.onOpen();
    if (body === undefined) return options.onOver();
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const waiting: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (message) => waiting.push(message) });
    for (;;) {
      const chunk = await reader.read();
      if (chunk.done) return;
      options.onSign();
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      clearTimeout(timer);
      yield* waiting.splice(0);
      touch();
    }
  } catch (error) {
    if (ended.signal.aborted) throw silent;
    if (error instanceof ApiError || error instanceof Unreachable || options.signal?.aborted) throw error;
    throw new Unreachable(connection.url, `the event stream broke off: ${reasonOf(error)}`, error);
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}

async function connect(
  connection: Connection,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const call: Call = { method: 'GET', path: options.path, accept: 'text/event-stream', lastEventId: options.lastId };
  const response = await send(connection, call, signal);
  if (!response.ok) throw apiErrorOf(response, await response.text(), connection.url);
  if (response.status === 204) return undefined;
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/event-stream') || response.body === null) {
    throw misfit(connection.url, response.status, `no event stream but "${type}"`);
  }
  return response.body;
}
