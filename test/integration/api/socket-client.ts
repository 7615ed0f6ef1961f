import { WebSocket } from 'ws';
import { eventually } from '../../support/eventually';

export type Frame = Record<string, unknown>;

/** A client that keeps what it is sent. */
export class SocketClient {
  readonly frames: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  private readonly opened: Promise<void>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, { headers });
    this.socket.on('message', (data) => this.frames.push(JSON.parse(data.toString())));
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', () => resolve());
      this.socket.on('error', reject);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  async send(...frames: (Frame | string)[]): Promise<this> {
    await this.opened;
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    return this;
  }

  async has(count: number): Promise<Frame[]> {
    await eventually(`${count} frames`, () => this.frames.length >= count);
    return this.frames;
  }

  /** Ids of the events it has, in their order; of one run when it is named. */
  ids(runId?: string): string[] {
    const events = this.frames.filter((frame) => runId === undefined || frame['runId'] === runId);
    return events.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  }

  close(): void {
    this.socket.terminate();
  }
}

/** The clients of one test: closed after it, whatever came of it. */
export class SocketClients {
  private readonly clients: SocketClient[] = [];

  open(url: string, headers?: Record<string, string>): SocketClient {
    const client = new SocketClient(url, headers);
    this.clients.push(client);
    return client;
  }

  close(): void {
    for (const client of this.clients.splice(0)) client.close();
  }
}
