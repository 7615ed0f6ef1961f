import { platformFrameSchema, type WorkerFrame, type PlatformFrame } from '@lattice/contracts';
import { WebSocket, type RawData } from 'ws';
import { ApiError, Unreachable } from '../errors';

/** Without a word for so long the server is asked for one, and after so much more the connection is given up. */
const QUIET_MS = 8_000;
const DEAD_MS = 20_000;
const CONNECT_MS = 10_000;
const CLOSE_MS = 2_000;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** One connection of a worker. */
export interface WorkerSocket {
  send(frame: WorkerFrame): void;
  /** Sends the text of a frame. */
  sendText(text: string): void;
  close(code: number, reason: string): void;
  /** Resolves when the connection is over. */
  readonly closed: Promise<Closed>;
}

/** Connects, and says hello. Throws Unreachable, and ApiError when there is something else than a Lattice that knows workers. */
export async function openSocket(options: {
  url: string;
  apiKey: string | undefined;
  hello: WorkerFrame;
  signal: AbortSignal;
  onOrder: (order: PlatformFrame) => void;
}): Promise<WorkerSocket> {
  const { url, apiKey, hello, signal, onOrder } = options;
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/worker`, {
    headers,
    handshakeTimeout: CONNECT_MS,
    maxPayload: 0,
  });
  let heardAt = Date.now();
  const sendText = (text: string): void => {
    if (socket.readyState === socket.OPEN) socket.send(text, () => undefined);
  };
  const send = (frame: WorkerFrame): void => sendText(JSON.stringify(frame));
  const watch = setInterval(() => {
    const quiet = Date.now() - heardAt;
    if (quiet > DEAD_MS) socket.terminate();
    else if (quiet > QUIET_MS) send({ op: 'ping' });
  }, QUIET_MS / 4);
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => {
      clearInterval(watch);
      resolve({ code, reason: reason.toString() });
    });
  });
  socket.on('message', (data: RawData) => {
    heardAt = Date.now();
    onOrder(platformFrameSchema.parse(JSON.parse(textOf(data))));
  });
  socket.on('ping', () => (heardAt = Date.now()));
  // A connection that stands is closed in order by its owner; one in the making is given up.
  const stop = (): void => {
    if (socket.readyState === socket.CONNECTING) socket.terminate();
    else setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  void closed.then(() => signal.removeEventListener('abort', stop));
  await opened(socket, url);
  send(hello);
  return { send, sendText, close: (code, reason) => socket.close(code, reason), closed };
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}

function opened(socket: WebSocket, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', (error) => {
      const status = Number(/^Unexpected server response: (4\d\d)$/.exec(error.message)?.[1]);
      const message = `${url} has no /v1/worker (${status}): another version, or something else listening there?`;
      reject(
        Number.isNaN(status)
          ? new Unreachable(url, error.message, error)
          : new ApiError({ code: 'not_found', status, message }),
      );
    });
  });
}
