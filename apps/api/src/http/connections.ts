import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server, with the number of requests in progress on each. Node closes idle ones itself, but counts a
 * connection that has not sent its first request as busy; browsers and clients keep such ones in store.
 */
export class Connections {
  private readonly requests = new Map<Socket, number>();
  private draining = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.requests.set(socket, 0);
      socket.once('close', () => this.requests.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.add(request.socket, 1);
      response.once('close', () => this.add(request.socket, -1));
    });
    // A socket that became a WebSocket is for its gateway to close.
    server.on('upgrade', (request: IncomingMessage) => this.requests.delete(request.socket));
  }

  /** Takes no more connections, and closes each as soon as nothing is in progress on it. Resolves when all are closed. */
  async drain(limitMs: number): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const socket of this.requests.keys()) this.add(socket, 0);
    const late = setTimeout(() => this.server.closeAllConnections(), limitMs);
    await closed;
    clearTimeout(late);
  }

  private add(socket: Socket, change: number): void {
    const count = this.requests.get(socket);
    if (count === undefined) return;
    this.requests.set(socket, count + change);
    if (this.draining && count + change === 0) socket.destroySoon();
  }
}
