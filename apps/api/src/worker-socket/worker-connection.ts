import type { IncomingMessage } from 'node:http';
import { LatticeError, WORKER_CLOSE, faultsOf, workerFrameSchema, type WorkerFrame } from '@lattice/contracts';
import { RemoteWorker, parseJsonBody, type Identity, type KeyRing, type Runtime } from '@lattice/engine';
import type { RawData, WebSocket } from 'ws';
import { addressOf, type Authenticator } from '../auth/authenticator';
import { toProblem } from '../http/problem';

/** A socket has so long to say who it is, and then what it can do. */
const HELLO_LIMIT_MS = 10_000;
/** Frames waiting for their turn, above which the socket is not read. */
const MAX_PENDING = 64;
/** A worker is asked for a sign of life so often, and given up when the last one brought none. */
const PING_MS = 5_000;
const CLOSE_MS = 2_000;
/** Bytes that may wait in the socket of a worker that does not read. */
const MAX_BUFFERED = 64 * 1_048_576;

export interface WorkerDeps {
  readonly runtime: Runtime;
  readonly keys: KeyRing;
  readonly authenticator: Authenticator;
  /** Ends an earlier connection of the same worker. */
  readonly replace: (workerId: string) => Promise<void>;
}

/** The socket of one worker. Frames are taken one after the other, in their order. */
export class WorkerConnection {
  /** Resolves with the id of the worker, if it said one, when all is over. */
  readonly ended: Promise<string | undefined>;
  private end: (workerId: string | undefined) => void = () => undefined;
  private identity: Identity | undefined;
  private worker: RemoteWorker | undefined;
  private workerId: string | undefined;
  private turn: Promise<void> = Promise.resolve();
  private pending = 0;
  private alive = true;
  private helloTimer: NodeJS.Timeout | undefined;
  private pingTimer: NodeJS.Timeout | undefined;
  private detached: Promise<void> | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly request: IncomingMessage,
    private readonly deps: WorkerDeps,
  ) {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  start(): void {
    this.socket.on('message', (data, isBinary) => this.take(data, isBinary));
    this.socket.on('pong', () => (this.alive = true));
    // 1000 is the word of a worker that stops: what it left does not come back.
    this.socket.on('close', (code) => void this.detach(code !== 1000));
    this.helloTimer = setTimeout(() => void this.close(WORKER_CLOSE.unauthorized, 'no hello in time'), HELLO_LIMIT_MS);
    this.pingTimer = setInterval(() => void this.check(), PING_MS);
    this.queue(async () => {
      const identity = await this.deps.authenticator.identify(this.request);
      if (identity !== undefined) this.admit(identity);
    });
  }

  /** Leaves what runs to the worker, tells it why, and closes. */
  async close(code: number, reason: string): Promise<void> {
    const left = this.detach(true);
    this.socket.close(code, reason.slice(0, 120));
    setTimeout(() => this.socket.terminate(), CLOSE_MS).unref();
    await left;
  }

  private take(data: RawData, isBinary: boolean): void {
    this.alive = true;
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
        if (this.detached === undefined) await act();
      } catch (error) {
        this.refuse(error);
      }
      this.pending -= 1;
      if (this.pending <= MAX_PENDING && this.socket.isPaused) this.socket.resume();
    });
  }

  private async handle(frame: WorkerFrame): Promise<void> {
    if (frame.op === 'auth') return this.admit(await this.deps.authenticator.byKey(frame.key, addressOf(this.request)));
    if (this.identity === undefined) throw new LatticeError('unauthorized', 'send {"op":"auth","key":"..."} first');
    switch (frame.op) {
      case 'hello':
        return this.welcome(frame);
      case 'ping':
        return this.send('{"op":"pong"}');
      case 'drain':
        void this.workerOf(frame).drain();
        return;
      case 'log':
      case 'progress':
      case 'alive':
      case 'result':
        return this.workerOf(frame).report(frame);
    }
  }

  private workerOf(frame: WorkerFrame): RemoteWorker {
    if (this.worker !== undefined) return this.worker;
    throw new LatticeError('bad_request', `say hello before ${frame.op}`);
  }

  private admit(identity: Identity): void {
    if (!identity.scopes.includes('worker') && !identity.scopes.includes('admin')) {
      throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope worker.`);
    }
    this.identity = identity;
  }

  private async welcome(hello: Extract<WorkerFrame, { op: 'hello' }>): Promise<void> {
    if (this.worker !== undefined) throw new LatticeError('bad_request', 'this socket has said hello already');
    clearTimeout(this.helloTimer);
    this.workerId = hello.workerId;
    await this.deps.replace(hello.workerId);
    const worker = new RemoteWorker(this.deps.runtime, hello, (order) => this.send(JSON.stringify(order)));
    this.worker = worker;
    await worker.start();
    this.deps.runtime.log.info({ workerId: hello.workerId, handlers: hello.handlers }, 'a worker has connected');
  }

  private send(text: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    // An error of a socket comes as its close as well.
    this.socket.send(text, () => undefined);
    if (this.socket.bufferedAmount > MAX_BUFFERED) void this.close(WORKER_CLOSE.silent, 'the worker does not read');
  }

  /** Ends the work for this socket; once. */
  private detach(comesBack: boolean): Promise<void> {
    this.detached ??= this.letGo(comesBack);
    return this.detached;
  }

  private async letGo(comesBack: boolean): Promise<void> {
    clearTimeout(this.helloTimer);
    clearInterval(this.pingTimer);
    try {
      await this.worker?.detach({ comesBack });
    } catch (error) {
      this.deps.runtime.log.warn({ err: error, workerId: this.workerId }, 'a worker could not be let go in order');
    } finally {
      this.end(this.workerId);
    }
  }

  private refuse(error: unknown): void {
    const { problem, internal } = toProblem(error);
    const { log } = this.deps.runtime;
    if (internal !== undefined)
      log.error({ err: error, errorId: internal }, 'unexpected fault of the socket of a worker');
    const { code, status, detail } = problem;
    this.send(JSON.stringify({ op: 'error', code, detail }));
    const known = status === 401 || status === 403 ? WORKER_CLOSE.unauthorized : WORKER_CLOSE.refused;
    void this.close(status >= 500 || status === 429 ? 1011 : known, detail);
  }

  /** A sign of life, and a look whether the key is still valid. */
  private async check(): Promise<void> {
    if (!this.alive) return this.socket.terminate();
    this.alive = false;
    if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
    try {
      if (this.identity === undefined || (await this.deps.keys.find(this.identity.keyHash)) !== undefined) return;
      await this.close(WORKER_CLOSE.unauthorized, 'the key was revoked');
    } catch (error) {
      this.deps.runtime.log.debug({ err: error }, 'the key of a worker could not be looked up');
    }
  }
}

/** The frame in a text; throws `unparsable`, `bad_request`. */
function readFrame(text: string): WorkerFrame {
  const parsed = workerFrameSchema.safeParse(parseJsonBody(text));
  if (parsed.success) return parsed.data;
  const [first] = faultsOf(parsed.error);
  throw new LatticeError('bad_request', `The frame has a fault at ${first?.pointer ?? ''}: ${first?.message ?? ''}`);
}
