import type { IncomingMessage } from 'node:http';
import type { Logger } from '@lattice/config';
import { LatticeError, type RunEvent } from '@lattice/contracts';
import {
  isAllowed,
  readRunStatus,
  type Engine,
  type Identity,
  type KeyRing,
  type LiveHub,
  type WorkersFeed,
} from '@lattice/engine';
import type { RawData, WebSocket } from 'ws';
import { addressOf, type Authenticator } from '../auth/authenticator';
import { toProblem } from '../http/problem';
import { frameOfEvent } from './event-text';
import { errorFrame, readFrame, type Frame } from './frames';
import { SocketWriter } from './socket-writer';
import type { WriteTurns } from './write-turns';

/** Codes that a socket is closed with, beside those of the protocol. */
export const CLOSE = { unauthorized: 4401, tooSlow: 4408, goingAway: 1001 } as const;
/** A socket without a key in its headers has so long to send one. */
const AUTH_LIMIT_MS = 5_000;
/** Runs one socket may follow at once. */
const MAX_SUBSCRIPTIONS = 1_000;
/** Frames waiting for their turn, above which the socket is not read. */
const MAX_PENDING = 32;
/** A socket is asked for a sign of life so often, and ended when the last one brought none. */
const PING_MS = 15_000;
/** A client has so long to read what is on its way and to answer the close; less when the server stops. */
const CLOSE_MS = 10_000;
const STOP_MS = 2_000;

export interface LiveDeps {
  readonly engine: Engine;
  readonly hub: LiveHub;
  readonly workers: WorkersFeed;
  readonly keys: KeyRing;
  readonly authenticator: Authenticator;
  readonly turns: WriteTurns;
  readonly log: Logger;
}

/** One WebSocket: who it is, and which runs it follows. Frames are taken one after the other, in their order. */
export class LiveConnection {
  private readonly subscriptions = new Map<string, AbortController>();
  private readonly writer: SocketWriter;
  private unfollowWorkers: (() => void) | undefined;
  private identity: Identity | undefined;
  private turn: Promise<void> = Promise.resolve();
  private pending = 0;
  private alive = true;
  private authTimer: NodeJS.Timeout | undefined;
  private pingTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly request: IncomingMessage,
    private readonly deps: LiveDeps,
  ) {
    this.writer = new SocketWriter({ socket, connection: request.socket, turns: deps.turns });
  }

  /** Begins to listen, in the same moment: a frame may be there already. */
  start(): void {
    this.socket.on('message', (data, isBinary) => this.take(data, isBinary));
    this.socket.on('pong', () => {
      this.alive = true;
    });
    this.socket.on('close', () => this.release());
    this.authTimer = setTimeout(() => this.close(CLOSE.unauthorized, 'no key within 5 s'), AUTH_LIMIT_MS);
    this.pingTimer = setInterval(() => void this.check(), PING_MS);
    this.queue(() => this.authenticateByHeader());
  }

  /** Tells the client why, and closes. */
  close(code: number, reason: string): void {
    this.release();
    this.socket.close(code, reason.slice(0, 120));
    // A client that does not answer the close in time is gone, or never reads.
    setTimeout(() => this.socket.terminate(), code === CLOSE.goingAway ? STOP_MS : CLOSE_MS).unref();
  }

  private take(data: RawData, isBinary: boolean): void {
    this.queue(async () => {
      if (isBinary || !Buffer.isBuffer(data)) throw new LatticeError('bad_request', 'Send text, not binary frames.');
      await this.handle(readFrame(data.toString()));
    });
  }

  private queue(act: () => Promise<void>): void {
    this.pending += 1;
    if (this.pending > MAX_PENDING) this.socket.pause();
    this.turn = this.turn.then(async () => {
      try {
        if (this.socket.readyState === this.socket.OPEN) await act();
      } catch (error) {
        this.report(error);
      }
      this.pending -= 1;
      if (this.pending <= MAX_PENDING && this.socket.isPaused) this.socket.resume();
    });
  }

  private async authenticateByHeader(): Promise<void> {
    try {
      const identity = await this.deps.authenticator.identify(this.request);
      if (identity !== undefined) this.admit(identity);
    } catch (error) {
      this.refuse(error);
    }
  }

  private async handle(frame: Frame): Promise<void> {
    if (frame.op === 'auth') {
      try {
        this.admit(await this.deps.authenticator.byKey(frame.key, addressOf(this.request)));
      } catch (error) {
        this.refuse(error);
      }
      return;
    }
    if (this.identity === undefined) {
      this.close(CLOSE.unauthorized, 'send {"op":"auth","key":"..."} first');
      return;
    }
    switch (frame.op) {
      case 'subscribe':
        if ('topic' in frame) this.followWorkers();
        else await this.subscribe(frame.runId, frame.after ?? '0');
        return;
      case 'unsubscribe':
        if ('topic' in frame) {
          this.endWorkers();
          return;
        }
        this.subscriptions.get(frame.runId)?.abort();
        this.subscriptions.delete(frame.runId);
        return;
      case 'ping':
        await this.writer.send('{"op":"pong"}');
        return;
    }
  }

  private admit(identity: Identity): void {
    if (!isAllowed(identity, 'viewer')) {
      throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope viewer.`);
    }
    clearTimeout(this.authTimer);
    this.identity = identity;
  }

  private refuse(error: unknown): void {
    const { problem, internal } = toProblem(error);
    if (internal !== undefined) this.deps.log.error({ err: error, errorId: internal }, 'unexpected fault of a socket');
    const code = problem.status >= 500 ? 1011 : CLOSE.unauthorized;
    this.close(code, problem.detail);
  }

  private async subscribe(runId: string, after: string): Promise<void> {
    if (this.subscriptions.has(runId)) {
      this.tell(errorFrame('bad_request', 'This socket follows the run already.', runId));
      return;
    }
    if (this.subscriptions.size >= MAX_SUBSCRIPTIONS) {
      this.tell(errorFrame('too_many_requests', `A socket follows at most ${MAX_SUBSCRIPTIONS} runs.`, runId));
      return;
    }
    try {
      await readRunStatus(this.deps.engine, runId);
    } catch (error) {
      this.report(error, runId);
      return;
    }
    const following = new AbortController();
    this.subscriptions.set(runId, following);
    void this.pump(runId, after, following);
  }

  /** Frames {topic, type, ...}: all workers first, then each that changes. */
  private followWorkers(): void {
    this.unfollowWorkers ??= this.deps.workers.follow(async (change) => {
      if (await this.writer.send(JSON.stringify({ topic: 'workers', ...change }))) return;
      this.close(CLOSE.tooSlow, 'the reader is too slow; subscribe again');
    });
  }

  private endWorkers(): void {
    this.unfollowWorkers?.();
    this.unfollowWorkers = undefined;
  }

  private async pump(runId: string, after: string, following: AbortController): Promise<void> {
    try {
      for await (const events of this.deps.hub.follow(runId, after, { signal: following.signal })) {
        if (await this.pass(events, following.signal)) continue;
        this.deps.log.info({ runId }, 'a socket was dropped: its reader is too slow');
        this.close(CLOSE.tooSlow, 'the reader is too slow; subscribe again after the last event');
        break;
      }
    } catch (error) {
      this.report(error, runId);
    } finally {
      if (this.subscriptions.get(runId) === following) this.subscriptions.delete(runId);
    }
  }

  /** Sends events until there are no more or they are not wanted any more; false when the reader is stuck. */
  private async pass(events: readonly RunEvent[], signal: AbortSignal): Promise<boolean> {
    for (const event of events) {
      if (signal.aborted) return true;
      const sent = this.writer.send(frameOfEvent(event));
      if (sent !== true && !(await sent)) return false;
    }
    return true;
  }

  private report(error: unknown, runId?: string): void {
    const { problem, internal } = toProblem(error);
    if (internal !== undefined) this.deps.log.error({ err: error, errorId: internal }, 'unexpected fault of a socket');
    if (this.identity === undefined) this.close(CLOSE.unauthorized, problem.detail);
    else if (error instanceof LatticeError) this.tell(errorFrame(error.code, problem.detail, runId));
    else this.tell(errorFrame(internal === undefined ? 'unavailable' : 'internal', problem.detail, runId));
  }

  /** Like events, faults wait for a slow reader; but nothing waits for them. */
  private tell(frame: string): void {
    void this.writer.send(frame);
  }

  /** A sign of life, and a look whether the key is still valid. */
  private async check(): Promise<void> {
    if (!this.alive) {
      this.socket.terminate();
      return;
    }
    this.alive = false;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
    try {
      if (this.identity === undefined || (await this.deps.keys.find(this.identity.keyHash)) !== undefined) return;
      this.close(CLOSE.unauthorized, 'the key was revoked');
    } catch (error) {
      this.deps.log.debug({ err: error }, 'the key of a socket could not be looked up');
    }
  }

  private release(): void {
    clearTimeout(this.authTimer);
    clearInterval(this.pingTimer);
    this.endWorkers();
    for (const following of this.subscriptions.values()) following.abort();
    this.subscriptions.clear();
  }
}
