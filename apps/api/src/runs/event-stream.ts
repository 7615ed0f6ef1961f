import { LatticeError, type RunEvent } from '@lattice/contracts';
import type { Response } from 'express';
import { problemOf } from '../http/problem';
import { serverSentEvent } from '../live/event-text';
import type { WriteTurns } from '../socket/write-turns';

/** A comment goes out so often, in milliseconds, so that nothing between here and the client takes the stream for dead. */
const PING_MS = 15_000;
/** A client that takes nothing for so long is cut off. */
const STUCK_MS = 10_000;

/** The writing half of a stream of server-sent events, at the pace of its reader. */
export class EventStream {
  private readonly ping: NodeJS.Timeout;

  constructor(
    private readonly response: Response,
    private readonly turns: WriteTurns,
  ) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    this.ping = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': ping\n\n');
    }, PING_MS);
    response.once('close', () => clearInterval(this.ping));
  }

  /** Resolves when there is room for more. Rejects when the reader is stuck. */
  async send(events: readonly RunEvent[]): Promise<void> {
    const { response, turns } = this;
    for (const event of events) {
      const { socket } = response;
      if (response.destroyed || socket === null) return;
      turns.hold(socket);
      if (response.write(serverSentEvent(event))) continue;
      turns.release(socket);
      await drained(response);
    }
  }

  end(): void {
    clearInterval(this.ping);
    this.response.end();
  }

  /** Ends early: with the reason as a comment when the reader still reads, else by force. */
  cut(error: unknown): void {
    clearInterval(this.ping);
    if (this.response.writableNeedDrain) {
      this.response.destroy();
      return;
    }
    const reason = error instanceof LatticeError ? problemOf(error.code, error.message).detail : 'internal';
    this.response.end(`: ${reason}\n\n`);
  }
}

async function drained(response: Response): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  let done: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      done = resolve;
      response.once('drain', done);
      response.once('close', done);
      late = setTimeout(() => reject(new LatticeError('unavailable', 'the reader is too slow')), STUCK_MS);
    });
  } finally {
    clearTimeout(late);
    response.off('drain', done);
    response.off('close', done);
  }
}
