import type { IncomingMessage } from 'node:http';
import type { Logger } from '@lattice/config';
import { LatticeError, type Problem } from '@lattice/contracts';
import type { Identity, KeyRing } from '@lattice/engine';
import type { RawData, WebSocket } from 'ws';
import { addressOf, type Authenticator } from '../auth/authenticator';
import { toProblem } from '../http/problem';
import { SocketWriter } from './socket-writer';
import type { WriteTurns } from './write-turns';

/** The most characters that the reason of a close may have, within the 123 bytes of the protocol. */
const REASON_LENGTH = 120;
/** Close codes of the protocol: the server stops, the server is at fault. */
export const GOING_AWAY = 1001;
export const AT_FAULT = 1011;

/** How a kind of socket is kept. */
export interface SocketRules {
  /** Milliseconds that a client has to be introduced, and what it is told when it is not. */
  readonly introduction: { readonly limitMs: number; readonly code: number; readonly reason: string };
  /** Frames waiting for their turn, above which the socket is not read. */
  readonly maxPending: number;
  /** A client is asked for a sign of life so often, and given up when the last one brought none. */
  readonly pingMs: number;
  /** A client has so long to read what is on its way and to answer the close; less, 2 s, when the server stops. */
  readonly closeMs: number;
}

/** What is made of a socket. */
export interface SocketUse {
  /** A text of the client; called for one after the other, each when the one before is dealt with. */
  take(text: string): Promise<void> | void;
  /** Somebody has shown a key. Throws what speaks against it. */
  admit(identity: Identity): void;
  /** Something was thrown by `take`, or by `admit` for a key in the headers. The next text waits for it too. */
  fault(error: unknown): Promise<void> | void;
  /** The socket is closed, or about to be, with this code; may come twice. */
  end(code: number): void;
}

export interface SocketDeps {
  readonly keys: KeyRing;
  readonly authenticator: Authenticator;
  readonly turns: WriteTurns;
  readonly log: Logger;
}

const STOP_MS = 2_000;

/**
 * A WebSocket whose client shows a key, in the headers or in a frame, before anything else; is asked for signs of life, and
 * cut off when its key is revoked. Its frames are taken one after the other, and it is not read while too many wait.
 */
export class ClientSocket {
  /** Who it is; undefined before that is known. */
  identity: Identity | undefined;
  readonly writer: SocketWriter;
  private turn: Promise<void> = Promise.resolve();
  private pending = 0;
  private isAlive = true;
  private introduction: NodeJS.Timeout | undefined;
  private check: NodeJS.Timeout | undefined;

  constructor(
    private readonly on: {
      readonly socket: WebSocket;
      readonly request: IncomingMessage;
      readonly rules: SocketRules;
      readonly deps: SocketDeps;
    },
    private readonly use: SocketUse,
  ) {
    const { socket, request, deps } = on;
    this.writer = new SocketWriter({ socket, connection: request.socket, turns: deps.turns });
  }

  /** Begins to listen, in the same moment: a frame may be there already. */
  start(): void {
    const { socket, rules, deps } = this.on;
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('pong', () => (this.isAlive = true));
    socket.on('close', (code) => this.release(code));
    const { limitMs, code, reason } = rules.introduction;
    this.introduction = setTimeout(() => this.close(code, reason), limitMs);
    // Sockets that come together, after a restart for instance, are not to be asked together for ever after.
    this.check = setTimeout(() => this.checkAlways(), rules.pingMs * Math.random());
    this.queue(async () => {
      const identity = await deps.authenticator.identify(this.on.request);
      if (identity !== undefined) this.admit(identity);
    });
  }

  /** Lets the client in whose key it is. Throws `unauthorized`, `too_many_requests`, and what the use of the socket throws. */
  async showKey(key: string): Promise<void> {
    this.admit(await this.on.deps.authenticator.byKey(key, addressOf(this.on.request)));
  }

  /** The client has said in time what it had to say. */
  introduced(): void {
    clearTimeout(this.introduction);
  }

  /** What the client may be told of an error; one that is ours goes into the log. */
  explain(error: unknown): Problem {
    const { problem, internal } = toProblem(error);
    if (internal !== undefined)
      this.on.deps.log.error({ err: error, errorId: internal }, 'unexpected fault of a socket');
    return problem;
  }

  /** Tells the client why, and closes. */
  close(code: number, reason: string): void {
    const { socket, rules } = this.on;
    this.release(code);
    socket.close(code, reason.slice(0, REASON_LENGTH));
    // A client that does not answer the close in time is gone, or never reads.
    setTimeout(() => socket.terminate(), code === GOING_AWAY ? STOP_MS : rules.closeMs).unref();
  }

  private receive(data: RawData, isBinary: boolean): void {
    this.isAlive = true;
    this.queue(async () => {
      if (isBinary || !Buffer.isBuffer(data)) throw new LatticeError('bad_request', 'Send text, not binary frames.');
      await this.use.take(data.toString());
    });
  }

  private queue(act: () => Promise<void>): void {
    const { socket, rules } = this.on;
    this.pending += 1;
    if (this.pending > rules.maxPending) socket.pause();
    this.turn = this.turn.then(async () => {
      try {
        if (socket.readyState === socket.OPEN) await act();
      } catch (error) {
        await this.use.fault(error);
      }
      this.pending -= 1;
      if (this.pending <= rules.maxPending && socket.isPaused) socket.resume();
    });
  }

  private admit(identity: Identity): void {
    this.use.admit(identity);
    this.identity = identity;
  }

  private checkAlways(): void {
    this.check = setInterval(() => void this.lookAfter(), this.on.rules.pingMs);
    void this.lookAfter();
  }

  /** A sign of life, and a look whether the key is still valid. */
  private async lookAfter(): Promise<void> {
    const { socket, rules, deps } = this.on;
    if (!this.isAlive) {
      socket.terminate();
      return;
    }
    this.isAlive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    try {
      if (this.identity === undefined || (await deps.keys.find(this.identity.keyHash)) !== undefined) return;
      this.close(rules.introduction.code, 'the key was revoked');
    } catch (error) {
      deps.log.debug({ err: error }, 'the key of a socket could not be looked up');
    }
  }

  private release(code: number): void {
    clearTimeout(this.introduction);
    clearTimeout(this.check);
    this.use.end(code);
  }
}
