import { LatticeError, taskError } from '@lattice/contracts';
import { toJson } from '../../runners/json-output.cjs';
import { MAX_TIMER_MS, RunningHandle, SettledHandle, within } from '../handle';
import { outcomeOfThrown } from '../outcome';
import { OwnArtifacts } from './handler-artifacts';
import type { Execution, Executor, Handle, Handler, HandlerContext, Outcome } from '../port';
import { tooLarge } from '../read-output';
import { createStop, outcomeOfHandlerStop, outcomeOfStop, timeoutError, type Stop } from '../stop';
import { fieldOf, messageOf } from '../thrown';

export interface NoneOptions {
  handlers: ReadonlyMap<string, Handler>;
  /** Asynchronous handlers at once, abandoned ones included; more wait for their turn. */
  concurrency: number;
}

const STACK_LINES = 12;
const MESSAGE_CHARS = 4_000;
const HANDLER_PREFIX = 'handler/';
const NULL_OUTCOME: Outcome = { status: 'completed', outputJson: 'null' };

/**
 * Level `none`: functions of the worker, on its event loop. They can't be killed: on timeout and cancel their signal is aborted,
 * and after the grace they are abandoned, that is the outcome is given while the function may go on. A handler that
 * answers without a promise costs no timer, no promise and no turn of the event loop.
 */
export function createNoneExecutor(options: NoneOptions): Executor {
  const running = new Set<Handle>();
  const waiting: (() => void)[] = [];
  let busy = 0;

  function release(): void {
    const next = waiting.shift();
    if (next === undefined) busy--;
    else next();
  }

  function track(result: Promise<Outcome>, stop: Stop): Handle {
    const handle = new RunningHandle(result, (reason) => stop.request({ kind: 'cancelled', reason }));
    running.add(handle);
    void handle.result().then(() => running.delete(handle));
    return handle;
  }

  function submit(execution: Execution): Handle {
    const handler = handlerOf(options.handlers, execution);
    if (typeof handler !== 'function') return new SettledHandle({ status: 'failed', error: handler });
    if (busy >= options.concurrency) {
      const stop = createStop();
      const turn = new Promise<void>((resolve) => waiting.push(resolve));
      return track(runLater({ execution, handler, stop, turn, release }), stop);
    }
    const context = new Context(execution);
    let returned: unknown;
    try {
      returned = handler(execution.input, context);
    } catch (error) {
      if (!context.savesFiles) return new SettledHandle(outcomeOfError(error));
      returned = Promise.resolve().then(() => {
        throw error;
      });
    }
    if (!isThenable(returned) && !context.savesFiles) return new SettledHandle(outcomeOfValue(returned, execution));
    busy++;
    const stop = createStop();
    return track(settle({ execution, context, stop, returned, release }), stop);
  }

  return {
    level: 'none',
    submit,
    async close() {
      await Promise.all([...running].map(async (handle) => handle.cancel('the executor is closing')));
    },
  };
}

const NO_LABELS: HandlerContext['labels'] = { set: () => undefined, delete: () => undefined };

/** Most handlers look at none of it, so all is made on demand. The functions may be taken out of it: `(input, { log }) => ...`. */
class Context implements HandlerContext {
  readonly #execution: Execution;
  #controller: AbortController | undefined;
  #aborted: string | undefined;
  #artifacts: OwnArtifacts | undefined;

  constructor(execution: Execution) {
    this.#execution = execution;
  }
  get attempt(): number {
    return this.#execution.attempt ?? 1;
  }
  get token(): string {
    return this.#execution.id;
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.abort(this.#aborted);
    }
    return this.#controller.signal;
  }
  get log(): HandlerContext['log'] {
    return (text) => {
      const line = text.endsWith('\n') ? text : `${text}\n`;
      void this.#execution.onLog({ stream: 'stdout', text: line, at: Date.now() })?.catch(() => undefined);
    };
  }
  get progress(): HandlerContext['progress'] {
    return (percent, message) =>
      this.#execution.onProgress?.(percent, message === undefined ? message : String(message));
  }
  get heartbeat(): HandlerContext['heartbeat'] {
    return () => this.#execution.onAlive?.();
  }
  get gpus(): readonly string[] {
    return this.#execution.gpus?.uuids ?? [];
  }
  get labels(): HandlerContext['labels'] {
    return this.#execution.labels ?? NO_LABELS;
  }
  get artifacts(): HandlerContext['artifacts'] {
    return (this.#artifacts ??= new OwnArtifacts(this.#execution, this.signal));
  }
  /** It may have begun to save files: how it ended is known when that is done. */
  get savesFiles(): boolean {
    return this.#artifacts !== undefined;
  }
  async withFiles(outcome: Outcome): Promise<Outcome> {
    return this.#artifacts === undefined ? outcome : this.#artifacts.end(outcome, outcomeOfError);
  }
  get env(): HandlerContext['env'] {
    return this.#execution.env;
  }
  get batch(): HandlerContext['batch'] {
    return this.#execution.batch;
  }
  abort(reason: string): void {
    this.#aborted = reason;
    this.#controller?.abort(new LatticeError('cancelled', reason));
  }
}

interface Settling {
  execution: Execution;
  context: Context;
  stop: Stop;
  returned: unknown;
  release: () => void;
}

/** Waits for an asynchronous handler; its place is given back when it really ends. */
async function settle({ execution, context, stop, returned, release }: Settling): Promise<Outcome> {
  const { timeoutMs, graceMs } = execution.limits;
  const ended = Promise.resolve(returned)
    .then((value) => outcomeOfValue(value, execution), outcomeOfError)
    .then((outcome) => (context.savesFiles ? context.withFiles(outcome) : outcome))
    .finally(release);
  execution.gpus?.holdUntil?.(ended);
  const timer = timeoutMs === undefined ? undefined : armAbandon(stop, timeoutMs);
  const first = await Promise.race([ended, stop.requested]);
  clearTimeout(timer);
  if ('status' in first) return first;
  context.abort(first.kind === 'cancelled' ? first.reason : first.error.message);
  return outcomeOfHandlerStop(first, await within(ended, graceMs));
}

function armAbandon(stop: Stop, timeoutMs: number): NodeJS.Timeout {
  const error = timeoutError(timeoutMs);
  return setTimeout(() => stop.request({ kind: 'failed', error, atOnce: false }), Math.min(timeoutMs, MAX_TIMER_MS));
}

/** A handler that has to wait for its turn. Its time limit counts from its start. */
async function runLater(options: {
  execution: Execution;
  handler: Handler;
  stop: Stop;
  turn: Promise<void>;
  release: () => void;
}): Promise<Outcome> {
  const { execution, handler, stop, turn, release } = options;
  await Promise.race([turn, stop.requested]);
  if (stop.cause !== undefined) {
    void turn.then(release);
    return outcomeOfStop(stop.cause);
  }
  const context = new Context(execution);
  // A handler that throws at once counts as one that rejects.
  const returned = Promise.resolve(execution.input).then((input) => handler(input, context));
  return settle({ execution, context, stop, returned, release });
}

function handlerOf(handlers: ReadonlyMap<string, Handler>, execution: Execution) {
  const { uses } = execution;
  if (!uses.startsWith(HANDLER_PREFIX))
    return taskError('sandbox_failed', `level none runs handlers only, not ${uses}`);
  const name = uses.slice(HANDLER_PREFIX.length);
  return handlers.get(name) ?? taskError('handler_not_found', `this worker has no handler ${name}`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function outcomeOfValue(value: unknown, execution: Execution): Outcome {
  if (value === undefined || value === null) return NULL_OUTCOME;
  const result = toJson(value);
  if ('fault' in result) {
    return { status: 'failed', error: taskError('output_not_json', `the output is not JSON: ${result.fault}`) };
  }
  const { json } = result;
  const { outputBytes } = execution.limits;
  // At most three bytes of UTF-8 for each UTF-16 unit: short outputs need no counting.
  const bytes = json.length * 3 <= outputBytes ? 0 : Buffer.byteLength(json);
  return bytes > outputBytes
    ? { status: 'failed', error: tooLarge(bytes, outputBytes) }
    : { status: 'completed', outputJson: json };
}

/** A handler may say that another attempt is useless: `retryable: false` on what it throws. */
function outcomeOfError(error: unknown): Outcome {
  if (error instanceof LatticeError) return outcomeOfThrown(error);
  const name = fieldOf(error, 'name');
  const stack = fieldOf(error, 'stack');
  const code = fieldOf(error, 'code');
  const details: Record<string, unknown> = {};
  if (typeof name === 'string') details['name'] = name;
  if (typeof code === 'string') details['code'] = code;
  if (typeof stack === 'string') details['stack'] = stack.split('\n').slice(0, STACK_LINES).join('\n');
  const final = fieldOf(error, 'retryable') === false ? { retryable: false } : {};
  const message = messageOf(error).slice(0, MESSAGE_CHARS);
  return { status: 'failed', error: taskError('task_failed', message, { ...final, details }) };
}
