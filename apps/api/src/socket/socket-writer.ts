import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { WriteTurns } from './write-turns';

/** Bytes that may wait in a socket before its writer waits too. */
const HIGH_WATER = 1_048_576;
/** A reader that takes nothing for so long is too slow. */
const STUCK_MS = 10_000;

export interface WriterOptions {
  readonly socket: WebSocket;
  /** What the socket writes to. */
  readonly connection: Writable;
  readonly turns: WriteTurns;
  /** Default 10 s. */
  readonly stuckMs?: number;
}

/** Writes to a WebSocket at the pace of its reader. */
export class SocketWriter {
  constructor(private readonly on: WriterOptions) {}

  /** Bytes that wait in the socket. */
  get waiting(): number {
    return this.on.socket.bufferedAmount;
  }

  /** Sends a frame, whether there is room or not: look at `waiting`. */
  post(frame: string | Buffer): void {
    const { socket, connection, turns } = this.on;
    if (socket.readyState !== socket.OPEN) return;
    turns.hold(connection);
    socket.send(frame, { binary: false }, ignore);
  }

  /** Sends frames that were made before (`textFrame`), as `send` does: the messages of this socket are not compressed. */
  sendFrames(frames: Buffer): true | Promise<boolean> {
    const { connection } = this.on;
    return this.pass((done) => connection.write(frames, done));
  }

  /**
   * Sends a frame. True when there is room for more, or the socket is closed. Else a promise: of true once the reader has taken what was
   * there, of false when it is stuck.
   */
  send(frame: string | Buffer): true | Promise<boolean> {
    return this.pass((done) => this.on.socket.send(frame, { binary: false }, done));
  }

  private pass(write: (done: () => void) => void): true | Promise<boolean> {
    const { socket, connection, turns, stuckMs = STUCK_MS } = this.on;
    if (socket.readyState !== socket.OPEN) return true;
    if (socket.bufferedAmount < HIGH_WATER) {
      turns.hold(connection);
      write(ignore);
      return true;
    }
    turns.release(connection);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), stuckMs);
      write(() => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }
}

/** An error of a socket comes as its close as well. */
function ignore(): void {
  // Nobody waits.
}
