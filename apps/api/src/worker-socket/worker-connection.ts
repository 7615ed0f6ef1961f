import type { IncomingMessage } from 'node:http';
import {
  LatticeError,
  WORKER_CLOSE,
  faultsOf,
  taskError,
  workerFrameSchema,
  type WorkerFrame,
} from '@lattice/contracts';
import { RemoteWorker, parseJsonBody, type Identity, type Runtime } from '@lattice/engine';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { AT_FAULT, ClientSocket, type SocketDeps, type SocketRules, type SocketUse } from '../socket/client-socket';

/** Bytes that may wait in the socket of a worker that does not read. */
const MAX_WAITING = 64 * 1_048_576;
/** The code of a worker that stops: what it left does not come back. */
const STOPPED = 1000;

const RULES: SocketRules = {
  // Who it is, and then what it can do.
  introduction: { limitMs: 10_000, code: WORKER_CLOSE.unauthorized, reason: 'no hello in time' },
  maxPending: 64,
  pingMs: 5_000,
  closeMs: 2_000,
};

export interface WorkerDeps extends SocketDeps {
  readonly runtime: Runtime;
  /** Ends an earlier connection of the same worker. */
  readonly replace: (workerId: string) => Promise<void>;
}

/** One client of WS /v1/worker: a worker and what it works on. */
export class WorkerConnection implements SocketUse {
  /** Resolves with the id of the worker, if it said one, when all is over. */
  readonly ended: Promise<string | undefined>;
  private readonly client: ClientSocket;
  private isOver: (workerId: string | undefined) => void = () => undefined;
  private worker: RemoteWorker | undefined;
  private workerId: string | undefined;
  private detached: Promise<void> | undefined;

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    private readonly deps: WorkerDeps,
  ) {
    this.client = new ClientSocket({ socket, request, rules: RULES, deps }, this);
    this.ended = new Promise((resolve) => (this.isOver = resolve));
  }

  start(): void {
    this.client.start();
  }

  /** Leaves what runs to the worker, tells it why, and closes. */
  async close(code: number, reason: string): Promise<void> {
    this.client.close(code, reason);
    await this.detached;
  }

  admit(identity: Identity): void {
    if (identity.scopes.includes('worker') || identity.scopes.includes('admin')) return;
    throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope worker.`);
  }

  async take(text: string): Promise<void> {
    const read = readFrame(text);
    if ('fault' in read) return this.refuse(read.fault, read.attempt);
    const { frame } = read;
    if (frame.op === 'auth') return this.client.showKey(frame.key);
    if (this.client.identity === undefined)
      throw new LatticeError('unauthorized', 'send {"op":"auth","key":"..."} first');
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

  /** A faulty word on an attempt is the end of that attempt, not of the worker; any other is refused as it is. */
  private refuse(fault: LatticeError, attempt: string | undefined): void | Promise<void> {
    if (this.worker === undefined || attempt === undefined) throw fault;
    this.send(JSON.stringify({ op: 'error', code: fault.code, detail: fault.message }));
    const error = taskError('task_failed', `the worker said what can't be read: ${fault.message}`);
    return this.worker.report({ op: 'result', id: attempt, outcome: { status: 'failed', error } });
  }

  fault(error: unknown): void {
    const { code, status, detail } = this.client.explain(error);
    this.send(JSON.stringify({ op: 'error', code, detail }));
    const known = status === 401 || status === 403 ? WORKER_CLOSE.unauthorized : WORKER_CLOSE.refused;
    this.client.close(status >= 500 || status === 429 ? AT_FAULT : known, detail);
  }

  end(code: number): void {
    this.detached ??= this.letGo(code !== STOPPED);
  }

  private workerOf(frame: WorkerFrame): RemoteWorker {
    if (this.worker !== undefined) return this.worker;
    throw new LatticeError('bad_request', `say hello before ${frame.op}`);
  }

  private async welcome(hello: Extract<WorkerFrame, { op: 'hello' }>): Promise<void> {
    if (this.worker !== undefined) throw new LatticeError('bad_request', 'this socket has said hello already');
    this.client.introduced();
    this.workerId = hello.workerId;
    await this.deps.replace(hello.workerId);
    // The worker may have gone meanwhile, and nobody would end what began now.
    if (this.detached !== undefined) return;
    const worker = new RemoteWorker(this.deps.runtime, hello, (order) => this.send(JSON.stringify(order)));
    this.worker = worker;
    await worker.start();
    this.deps.log.info({ workerId: hello.workerId, handlers: hello.handlers }, 'a worker has connected');
  }

  private send(text: string): void {
    const { writer } = this.client;
    writer.post(text);
    if (writer.waiting > MAX_WAITING) this.client.close(WORKER_CLOSE.silent, 'the worker does not read');
  }

  private async letGo(comesBack: boolean): Promise<void> {
    try {
      await this.worker?.detach({ comesBack });
    } catch (error) {
      this.deps.log.warn({ err: error, workerId: this.workerId }, 'a worker could not be let go in order');
    } finally {
      this.isOver(this.workerId);
    }
  }
}

const aboutAttempt = z.object({ id: z.string() });

/** The frame in a text, or what is wrong with it, and the attempt that it is about; throws `unparsable`. */
function readFrame(text: string): { frame: WorkerFrame } | { fault: LatticeError; attempt: string | undefined } {
  const value = parseJsonBody(text);
  const parsed = workerFrameSchema.safeParse(value);
  if (parsed.success) return { frame: parsed.data };
  const [first] = faultsOf(parsed.error);
  const message = `The frame has a fault at ${first?.pointer || 'the top'}: ${first?.message ?? ''}`;
  return { fault: new LatticeError('bad_request', message), attempt: aboutAttempt.safeParse(value).data?.id };
}
