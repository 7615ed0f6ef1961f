import type { WebSocket } from 'ws';

/** Bytes that may wait in a socket before its writer waits too. */
const HIGH_WATER = 1_048_576;
/** A reader that takes nothing for so long is too slow. */
const STUCK_MS = 10_000;

/** Writes to a WebSocket at the pace of its reader. */
export class SocketWriter {
  constructor(
    private readonly socket: WebSocket,
    private readonly stuckMs: number = STUCK_MS,
  ) {}

  /** Resolves with true when there is room for more, or the socket is closed; with false when the reader is stuck. */
  async send(text: string): Promise<boolean> {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return true;
    if (socket.bufferedAmount < HIGH_WATER) {
      // An error of a socket comes as its close as well.
      socket.send(text, () => undefined);
      return true;
    }
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), this.stuckMs);
      socket.send(text, () => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }
}
