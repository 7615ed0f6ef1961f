import type { IncomingMessage } from 'node:http';
import { LatticeError, type RunEvent } from '@lattice/contracts';
import { isAllowed, readRunStatus, type Engine, type Identity, type LiveHub, type WorkersFeed } from '@lattice/engine';
import type { WebSocket } from 'ws';
import { AT_FAULT, ClientSocket, type SocketDeps, type SocketRules, type SocketUse } from '../socket/client-socket';
import { framesOfEvents } from './event-text';
import { errorFrame, readFrame, type Frame } from './frames';

/** Codes that a socket is closed with, beside those of the protocol. */
const CLOSE = { unauthorized: 4401, tooSlow: 4408 } as const;
/** Runs one socket may follow at once. */
const MAX_SUBSCRIPTIONS = 1_000;

const RULES: SocketRules = {
  introduction: { limitMs: 5_000, code: CLOSE.unauthorized, reason: 'no key within 5 s' },
  maxPending: 32,
  pingMs: 15_000,
  closeMs: 10_000,
};

export interface LiveDeps extends SocketDeps {
  readonly engine: Engine;
  readonly hub: LiveHub;
  readonly workers: WorkersFeed;
}

/** One client of WS /v1/ws: which runs it follows, and whether the workers. */
export class LiveConnection implements SocketUse {
  private readonly client: ClientSocket;
  private readonly subscriptions = new Map<string, AbortController>();
  private unfollowWorkers: (() => void) | undefined;
  private hasEnded = false;

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    private readonly deps: LiveDeps,
  ) {
    this.client = new ClientSocket({ socket, request, rules: RULES, deps }, this);
  }

  start(): void {
    this.client.start();
  }

  close(code: number, reason: string): void {
    this.client.close(code, reason);
  }

  admit(identity: Identity): void {
    if (!isAllowed(identity, 'viewer')) {
      throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope viewer.`);
    }
    this.client.introduced();
  }

  async take(text: string): Promise<void> {
    const frame = readFrame(text);
    if (frame.op === 'auth') {
      // Who shows another key that is none is not to go on with the one before.
      await this.client.showKey(frame.key).catch((error: unknown) => this.refuse(error));
      return;
    }
    if (this.client.identity === undefined) {
      this.close(CLOSE.unauthorized, 'send {"op":"auth","key":"..."} first');
      return;
    }
    switch (frame.op) {
      case 'subscribe':
        if ('topic' in frame) this.followWorkers();
        else await this.subscribe(frame);
        return;
      case 'unsubscribe':
        if ('topic' in frame) this.endWorkers();
        else this.unsubscribe(frame.runId);
        return;
      case 'ping':
        return this.tell('{"op":"pong"}');
    }
  }

  fault(error: unknown): Promise<void> | void {
    if (this.client.identity === undefined) this.refuse(error);
    else return this.report(error);
  }

  end(): void {
    this.hasEnded = true;
    this.endWorkers();
    for (const following of this.subscriptions.values()) following.abort();
    this.subscriptions.clear();
  }

  private refuse(error: unknown): void {
    const { status, detail } = this.client.explain(error);
    this.close(status >= 500 ? AT_FAULT : CLOSE.unauthorized, detail);
  }

  private async subscribe({ runId, after = '0' }: Extract<Frame, { op: 'subscribe'; runId: string }>): Promise<void> {
    try {
      this.checkRoom(runId);
      await readRunStatus(this.deps.engine, runId);
    } catch (error) {
      await this.report(error, runId);
      return;
    }
    // The client may have gone meanwhile, and nobody would end what began now.
    if (this.hasEnded) return;
    const following = new AbortController();
    this.subscriptions.set(runId, following);
    void this.pump(runId, after, following);
  }

  private checkRoom(runId: string): void {
    if (this.subscriptions.has(runId)) throw new LatticeError('bad_request', 'This socket follows the run already.');
    if (this.subscriptions.size < MAX_SUBSCRIPTIONS) return;
    throw new LatticeError('too_many_requests', `A socket follows at most ${MAX_SUBSCRIPTIONS} runs.`);
  }

  private unsubscribe(runId: string): void {
    this.subscriptions.get(runId)?.abort();
    this.subscriptions.delete(runId);
  }

  /** Frames {topic, type, ...}: all workers first, then each that changes. */
  private followWorkers(): void {
    this.unfollowWorkers ??= this.deps.workers.follow((change) =>
      this.tell(JSON.stringify({ topic: 'workers', ...change })),
    );
  }

  private endWorkers(): void {
    this.unfollowWorkers?.();
    this.unfollowWorkers = undefined;
  }

  private async pump(runId: string, after: string, following: AbortController): Promise<void> {
    try {
      for await (const events of this.deps.hub.follow(runId, after, { signal: following.signal })) {
        if (!(await this.pass(events, following.signal))) return;
      }
    } catch (error) {
      await this.report(error, runId);
    } finally {
      if (this.subscriptions.get(runId) === following) this.subscriptions.delete(runId);
    }
  }

  /** Sends events; false when they are not wanted any more. */
  private async pass(events: readonly RunEvent[], signal: AbortSignal): Promise<boolean> {
    for (const frames of framesOfEvents(events)) {
      if (signal.aborted) return false;
      const sent = this.client.writer.sendFrames(frames);
      if (sent !== true && !(await sent)) this.drop();
    }
    return true;
  }

  private async report(error: unknown, runId?: string): Promise<void> {
    await this.tell(errorFrame(this.client.explain(error), runId));
  }

  /** Sends what is no event, at the pace of the reader too. */
  private async tell(frame: string): Promise<void> {
    if (!(await this.client.writer.send(frame))) this.drop();
  }

  private drop(): void {
    if (this.hasEnded) return;
    this.deps.log.info({ runs: [...this.subscriptions.keys()] }, 'a socket was dropped: its reader is too slow');
    this.close(CLOSE.tooSlow, 'the reader is too slow; subscribe again after the last event');
  }
}
