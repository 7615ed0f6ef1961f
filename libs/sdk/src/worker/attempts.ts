import { WORKER_FRAME_BYTES, type WorkerFrame, type PlatformFrame, type WorkerOutcome } from '@lattice/contracts';
import type { Connection } from '../request';
import type { HandlerArtifacts, HandlerContext } from '../workflow/task';
import { AttemptArtifacts } from './attempt-artifacts';
import type { Perform } from './handler-table';
import { logPieces, progressFrame, resultText } from './frame-text';

type Order = Extract<PlatformFrame, { op: 'execute' }>;
type LogFrame = Extract<WorkerFrame, { op: 'log' }>;

interface Attempt {
  readonly order: Order;
  readonly startedAt: number;
  readonly abort: AbortController;
  /** Log frames that the server has not taken yet. */
  readonly unheard: LogFrame[];
  logged: number;
  outcome: WorkerOutcome | undefined;
}

/** Log frames kept of an attempt while nobody takes them; older ones are dropped then. */
const MAX_UNHEARD = 10_000;

/** The attempts of a worker. They outlive connections: what is not settled is brought along to the next one. */
export class Attempts {
  private readonly known = new Map<string, Attempt>();
  private idle: (() => void)[] = [];
  /** Bytes that a frame may have. */
  private limit = WORKER_FRAME_BYTES;
  /** Of the frames sent on this connection. */
  private largest = 0;
  /** Bytes of a frame that did not get through, whatever the limit was said to be: something in between may have its own. */
  private refused = Infinity;

  constructor(
    private readonly handlers: ReadonlyMap<string, Perform>,
    /** Sends the text of a frame if there is a connection; what was not heard is said again on the next. */
    private readonly deliver: (text: string) => void,
    /** Where handlers save files, and read them. */
    private readonly connection: Connection,
  ) {}

  /** A new connection takes frames of so many bytes. */
  bound(maxFrame: number): void {
    this.limit = Math.min(maxFrame, this.refused - 1);
    this.largest = 0;
  }

  /** The connection was closed for the size of a frame: the largest one is not said again. */
  tooLarge(): void {
    if (this.largest > 0) this.refused = this.largest;
  }

  get size(): number {
    return this.known.size;
  }

  /** Attempts for the next hello. */
  list(): { id: string; lease: string; elapsed: number }[] {
    return [...this.known].map(([id, { order, startedAt }]) => ({
      id,
      lease: order.lease,
      elapsed: performance.now() - startedAt,
    }));
  }

  /** Begins an attempt; one that is known already goes on. */
  execute(order: Order): void {
    const { id, handler, input } = order;
    if (this.known.has(id)) return;
    const attempt: Attempt = {
      order,
      startedAt: performance.now(),
      abort: new AbortController(),
      unheard: [],
      logged: 0,
      outcome: undefined,
    };
    this.known.set(id, attempt);
    const perform = this.handlers.get(handler) ?? notFound(handler);
    const { signal } = attempt.abort;
    const heard = (): void => this.alive(attempt);
    const artifacts = new AttemptArtifacts(this.connection, { id, lease: order.lease, signal, heard });
    const ended = perform(input, this.contextOf(attempt, artifacts)).then((outcome) => artifacts.end(outcome));
    void ended.then((outcome) => {
      attempt.outcome = outcome;
      if (this.known.get(id) === attempt) this.say(resultText(id, outcome, this.limit));
    });
  }

  /** Asks an attempt to stop. */
  cancel(id: string, reason: string): void {
    this.known.get(id)?.abort.abort(new Error(reason));
  }

  /** The server wants no more of an attempt: it has its result, or the attempt is not this worker's any more. */
  forget(id: string, reason: string): void {
    const attempt = this.known.get(id);
    if (attempt === undefined) return;
    this.known.delete(id);
    if (attempt.outcome === undefined) attempt.abort.abort(new Error(reason));
    if (this.known.size === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  forgetAll(reason: string): void {
    for (const id of [...this.known.keys()]) this.forget(id, reason);
  }

  /** Log frames up to n were taken. */
  heard(id: string, n: number): void {
    const unheard = this.known.get(id)?.unheard;
    while (unheard?.[0] !== undefined && unheard[0].n <= n) unheard.shift();
  }

  /** After a new connection: says again what may not have been heard. */
  repeat(): void {
    for (const [id, { unheard, outcome }] of this.known) {
      for (const frame of unheard) this.send(frame);
      if (outcome !== undefined) this.say(resultText(id, outcome, this.limit));
    }
  }

  /** Resolves when no attempt is left. */
  async drained(): Promise<void> {
    if (this.known.size > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private send(frame: WorkerFrame): void {
    this.say(JSON.stringify(frame));
  }

  private say(text: string): void {
    this.largest = Math.max(this.largest, Buffer.byteLength(text));
    this.deliver(text);
  }

  private log(attempt: Attempt, text: string): void {
    attempt.logged += 1;
    const { id } = attempt.order;
    const frame: LogFrame = { op: 'log', id, n: attempt.logged, stream: 'stdout', text, at: Date.now() };
    attempt.unheard.push(frame);
    if (attempt.unheard.length > MAX_UNHEARD) attempt.unheard.shift();
    this.send(frame);
  }

  /** A handler that ignores its signal may go on to speak of an attempt that is not its own any more. */
  private isOpen(attempt: Attempt): boolean {
    return this.known.get(attempt.order.id) === attempt && attempt.outcome === undefined;
  }

  private alive(attempt: Attempt): void {
    if (this.isOpen(attempt)) this.send({ op: 'alive', id: attempt.order.id });
  }

  private contextOf(attempt: Attempt, artifacts: HandlerArtifacts): HandlerContext {
    const { id, runId, taskKey, attempt: number } = attempt.order;
    const isOpen = (): boolean => this.isOpen(attempt);
    return {
      runId,
      taskKey,
      attempt: number,
      signal: attempt.abort.signal,
      log: (text) => {
        if (!isOpen()) return;
        for (const piece of logPieces(text.endsWith('\n') ? text : `${text}\n`)) this.log(attempt, piece);
      },
      progress: (percent, text) => {
        const frame = progressFrame(id, percent, text);
        if (isOpen()) this.send(frame);
      },
      heartbeat: () => this.alive(attempt),
      artifacts,
    };
  }
}

function notFound(handler: string): Perform {
  const message = `this worker has no handler ${handler}`;
  return () => Promise.resolve({ status: 'failed', error: { code: 'handler_not_found', message, retryable: false } });
}
