import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { LatticeError, WORKER_CLOSE, parseSize, type WorkerFrame, type PlatformFrame } from '@lattice/contracts';
import { addressOf, fromEnvironment } from '../address';
import { backoff, sleep } from '../backoff';
import { ApiError, Unreachable } from '../errors';
import { connectionTo } from '../request';
import { Attempts } from './attempts';
import { handlerTable, type Handlers } from './handler-table';
import { findResources } from './machine';
import { openSocket, type Closed, type WorkerSocket } from './worker-socket';

export interface WorkerOptions {
  /** Where the API listens, for instance http://127.0.0.1:3000. Default: LATTICE_URL of the environment. */
  url?: string | undefined;
  /** A key with the scope `worker` (or `admin`). Default: LATTICE_API_KEY of the environment. */
  apiKey?: string | undefined;
  /** What it can do: handlers defined with a function, or functions by name. */
  handlers: Handlers;
  /** Tasks with `runsOn` look for them. */
  labels?: Record<string, string | number | boolean>;
  /** What it has to give; cores and memory of this machine when absent, and no GPU. */
  resources?: { cpu?: number; memory?: string | number; gpu?: number };
  /** Attempts at once; default 10. */
  concurrency?: number;
  /** Name of this process, unlike any other's; made when absent. */
  workerId?: string;
  /** Told of what goes on beside the work: connections made and lost, and why it ended for good. Default: nobody. */
  onNotice?: (text: string) => void;
}

const STOP_MS = 10_000;
const CONCURRENCY = 10;
/** setTimeout fires at once above this. */
const MAX_TIMER_MS = 2_147_483_647;
/** The code of a close for the size of a frame. */
const TOO_LARGE = 1009;
/** Closes after which it does no good to come back. */
const FOR_GOOD: readonly number[] = [WORKER_CLOSE.unauthorized, WORKER_CLOSE.refused, WORKER_CLOSE.replaced];

/**
 * Starts a worker in this process: it connects to the API, takes tasks `handler/NAME` for its handlers, and connects again by
 * itself when the connection breaks. Throws `bad_value`, `duplicate` for handlers that can't be ones.
 */
export function worker(options: WorkerOptions): Worker {
  return new Worker(options);
}

/** A worker that runs in this process. */
export class Worker {
  readonly workerId: string;
  /** Resolves when the worker was stopped; rejects with ApiError when the server refuses it for good. */
  readonly ended: Promise<void>;
  private readonly attempts: Attempts;
  private readonly hello: Omit<Extract<WorkerFrame, { op: 'hello' }>, 'attempts'>;
  private readonly stopping = new AbortController();
  private socket: WorkerSocket | undefined;
  /** Frames go out after the welcome: before it the server does not know what they are about. */
  private welcomed = false;
  private draining = false;
  private leaseMs: number | undefined;
  private leaseTimer: NodeJS.Timeout | undefined;
  private failures = 0;
  private welcome: () => void = () => undefined;
  private readonly firstWelcome: Promise<void>;
  private readonly url: string;
  private readonly apiKey: string | undefined;

  constructor(private readonly options: WorkerOptions) {
    this.url = addressOf(options.url);
    this.apiKey = options.apiKey ?? fromEnvironment('LATTICE_API_KEY');
    const host = hostname().slice(0, 60);
    this.workerId =
      options.workerId ?? `${host.replace(/[^A-Za-z0-9.-]/g, '-')}-${process.pid}-${randomUUID().slice(0, 8)}`;
    const table = handlerTable(options.handlers);
    this.hello = {
      op: 'hello',
      workerId: this.workerId,
      host,
      pid: process.pid,
      node: process.versions.node,
      handlers: [...table.keys()],
      labels: options.labels ?? {},
      resources: resourcesOf(options.resources),
      slots: options.concurrency ?? CONCURRENCY,
    };
    const deliver = (text: string): void => {
      if (this.welcomed) this.socket?.sendText(text);
    };
    this.attempts = new Attempts(table, deliver, connectionTo(this.url, this.apiKey));
    this.firstWelcome = new Promise((resolve) => (this.welcome = resolve));
    this.ended = this.run().finally(() => clearTimeout(this.leaseTimer));
    // Whoever does not ask for it must not be brought down by it.
    this.ended.catch(() => undefined);
  }

  /** Resolves when the worker has first connected; rejects when it is refused for good. */
  async connected(): Promise<void> {
    await Promise.race([this.firstWelcome, this.ended]);
  }

  /** Attempts in hand. */
  get running(): number {
    return this.attempts.size;
  }

  /**
   * Takes no more, lets what runs end for so many milliseconds (default 10,000), and leaves. What is left by then is aborted
   * and tried again elsewhere.
   */
  async stop(graceMs = STOP_MS): Promise<void> {
    this.draining = true;
    this.socket?.send({ op: 'drain' });
    const late = new AbortController();
    await Promise.race([
      this.attempts.drained(),
      sleep(graceMs, late.signal).catch(() => undefined),
      this.ended.catch(() => undefined),
    ]);
    late.abort();
    this.stopping.abort(new Error('the worker stops'));
    this.attempts.forgetAll('the worker stops');
    this.socket?.close(1000, 'the worker stops');
    await this.ended.catch(() => undefined);
  }

  /** Connection after connection, until the worker is stopped or refused for good. */
  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const { code, reason } = await this.connectOnce();
        if (signal.aborted) return;
        if (FOR_GOOD.includes(code)) throw refusal(code, reason);
        if (code === TOO_LARGE) this.attempts.tooLarge();
        this.notice(`the connection ended (${code} ${reason}); connecting again`);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Unreachable)) throw this.giveUp(error);
        this.notice(error.message);
      }
      await sleep(backoff(this.failures, 100, 3_000), signal).catch(() => undefined);
      this.failures += 1;
    }
  }

  private async connectOnce(): Promise<Closed> {
    const { url, apiKey } = this;
    const hello = { ...this.hello, attempts: this.attempts.list() };
    try {
      this.socket = await openSocket({
        url,
        apiKey,
        hello,
        signal: this.stopping.signal,
        onOrder: (order) => this.obey(order),
      });
      return await this.socket.closed;
    } finally {
      this.socket = undefined;
      this.welcomed = false;
      this.armLease();
    }
  }

  /** Away for a whole lease, the attempts belong to others: they are stopped here, and what they give is dropped. */
  private armLease(): void {
    if (this.leaseMs === undefined || this.leaseTimer !== undefined) return;
    const reason = `the worker was away from the server for its lease of ${this.leaseMs} ms`;
    this.leaseTimer = setTimeout(() => this.attempts.forgetAll(reason), Math.min(this.leaseMs, MAX_TIMER_MS));
  }

  private obey(order: PlatformFrame): void {
    switch (order.op) {
      case 'welcome':
        clearTimeout(this.leaseTimer);
        this.leaseTimer = undefined;
        this.leaseMs = order.leaseMs;
        this.failures = 0;
        for (const id of order.lost) this.attempts.forget(id, 'the attempt belongs to somebody else by now');
        this.welcomed = true;
        this.attempts.bound(order.maxFrame);
        this.attempts.repeat();
        if (this.draining) this.socket?.send({ op: 'drain' });
        this.notice(`connected to ${this.url} as ${this.workerId}`);
        return this.welcome();
      case 'execute':
        return this.attempts.execute(order);
      case 'cancel':
        return this.attempts.cancel(order.id, order.reason);
      case 'settled':
        return this.attempts.forget(order.id, 'the attempt is over');
      case 'logged':
        return this.attempts.heard(order.id, order.n);
      case 'error':
        return this.notice(`${order.code}: ${order.detail}`);
      case 'pong':
    }
  }

  private giveUp(error: unknown): unknown {
    this.attempts.forgetAll('the server refuses the worker');
    // Whoever does not await `ended` would not hear of it.
    this.notice(error instanceof Error ? error.message : String(error));
    return error;
  }

  private notice(text: string): void {
    this.options.onNotice?.(text);
  }
}

function refusal(code: number, reason: string): ApiError {
  const status = code === WORKER_CLOSE.unauthorized ? 401 : code === WORKER_CLOSE.replaced ? 409 : 400;
  const known = { 401: 'unauthorized', 409: 'duplicate', 400: 'bad_request' }[status];
  return new ApiError({ code: known ?? 'bad_request', status, message: `the server refuses the worker: ${reason}` });
}

function resourcesOf({ cpu, memory, gpu }: NonNullable<WorkerOptions['resources']> = {}): {
  cpu: number;
  memory: number;
  gpu: number;
} {
  const machine = findResources();
  const bytes = memory === undefined ? machine.memory : parseSize(memory);
  if (bytes === undefined) throw new LatticeError('bad_size', `"${memory}" is not a size: write bytes, or 512Mi, 2Gi`);
  return { cpu: cpu ?? machine.cpu, memory: bytes, gpu: gpu ?? 0 };
}
