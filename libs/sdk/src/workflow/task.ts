import { LatticeError, type Artifact, type LabelRule, type Resources, type SandboxLevel } from '@lattice/contracts';
import type { Checked, Given, SchemaLike } from './schema';

/** Times are durations such as `500ms`; see `retry` of a document. */
export interface Retry {
  maxAttempts?: number;
  initialDelay?: string;
  factor?: number;
  maxDelay?: string;
  jitter?: boolean | number;
  retryOn?: (string | number)[];
  ignore?: (string | number)[];
}

/** Tasks that one call does together. */
export interface Batch {
  /** The most members. */
  size: number;
  /** A duration such as `50ms` (the default): so long the first member waits for others; 0: not at all. */
  timeout?: string | 0;
  /** Only tasks of one key come together; may be an expression. */
  key?: string;
}

/** What every task of a workflow may say, besides what it does. */
export interface TaskSettings {
  description?: string | undefined;
  resources?: Resources | undefined;
  /** Rules on the labels of workers. */
  runsOn?: Record<string, LabelRule> | undefined;
  retry?: Retry | undefined;
  /** A duration such as `30s`, from start to end of an attempt. */
  timeout?: string | undefined;
  /** From the moment it is queued to the start of its first attempt. */
  queueTimeout?: string | undefined;
  /** An attempt that gives no sign of life for so long is stopped. */
  heartbeat?: string | undefined;
  /** Of handlers only; workers of the platform (`LATTICE_HANDLERS`) do batches, those of `worker()` do not. */
  batch?: Batch | undefined;
  env?: Record<string, string | number | boolean> | undefined;
  tags?: string[] | undefined;
}

export interface TaskOptions<I extends SchemaLike | undefined, O extends SchemaLike | undefined> extends TaskSettings {
  /** Letters, digits and . _ -; of a task in a workflow also its key, with _ in place of the others. Default: that of the function. */
  name?: string | undefined;
  /** What it takes: a zod schema, or the fields of an object. Checked before the function is called. */
  inputs?: I;
  /** What it gives. Checked after the function, so that whoever depends on it can rely on the type. */
  outputs?: O;
}

/** What a handler has at hand while it works. */
export interface HandlerContext {
  readonly runId: string;
  readonly taskKey: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the run is cancelled, the time limit has passed, or the attempt belongs to somebody else by now. */
  readonly signal: AbortSignal;
  /** One line or more, into the log of the task. */
  readonly log: (text: string) => void;
  /** 0 to 100. */
  readonly progress: (percent: number, text?: string) => void;
  /** Says that the work goes on: a task with a `heartbeat` must do so, log a line or tell its progress within that time. */
  readonly heartbeat: () => void;
  readonly artifacts: HandlerArtifacts;
}

/** What a handler may save: text (UTF-8), bytes, or a stream of either. */
export type ArtifactBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Files of handlers. What is saved shows with the task when the attempt completes, and never when it does not. */
export interface HandlerArtifacts {
  /**
   * Saves a file. `name` may have folders (`plots/a.png`). Throws LatticeError `artifact_refused` for a name that is none or comes twice,
   * `artifacts_too_large`, `artifacts_unavailable`; the attempt then fails with that, also when nobody waits for the promise.
   */
  readonly save: (name: string, body: ArtifactBody) => Promise<Artifact>;
  /**
   * The bytes of an artifact that the run may have, as `with.files` would give it, by its reference or its id; in Node a `Readable`. Throws
   * LatticeError `artifact_not_found`, `artifact_not_granted`, `artifacts_unavailable`.
   */
  readonly read: (artifact: string | Pick<Artifact, 'id'>) => Promise<AsyncIterable<Uint8Array>>;
}

/** A function that runs in a worker of yours. */
export type HandlerFunction<I, O> = (input: I, context: HandlerContext) => O | Promise<O>;
/** A function that travels with the document. */
export type CodeFunction<I, O> = (input: I) => O | Promise<O>;

interface TaskBase<I extends SchemaLike | undefined, O extends SchemaLike | undefined> extends TaskOptions<I, O> {
  name: string;
  /** Only a type: what has to be given, and what comes out. */
  readonly types?: { given: Given<I>; gives: Checked<O> };
}

/** A task that a worker of yours does, by its name. `run` may be missing where only the workflow is written. */
export interface HandlerTask<
  I extends SchemaLike | undefined = SchemaLike | undefined,
  O extends SchemaLike | undefined = SchemaLike | undefined,
> extends TaskBase<I, O> {
  readonly kind: 'handler';
  readonly run: HandlerFunction<never, unknown> | undefined;
}

/** A task whose function travels to any worker. */
export interface CodeTask<
  I extends SchemaLike | undefined = SchemaLike | undefined,
  O extends SchemaLike | undefined = SchemaLike | undefined,
> extends TaskBase<I, O> {
  readonly kind: 'code';
  readonly run: CodeFunction<never, unknown>;
  readonly from: string | undefined;
  readonly sandbox: SandboxLevel | undefined;
}

export type Task<
  I extends SchemaLike | undefined = SchemaLike | undefined,
  O extends SchemaLike | undefined = SchemaLike | undefined,
> = HandlerTask<I, O> | CodeTask<I, O>;

/**
 * Defines a task that runs in a worker of yours: give it to `worker({ handlers: [...] })` and to `workflow.add`. Without a
 * function it only has its types, for programs that write workflows and leave the work to others.
 */
export function handler<I extends SchemaLike | undefined = undefined, O extends SchemaLike | undefined = undefined>(
  options: TaskOptions<I, O>,
  run?: HandlerFunction<Checked<I>, Given<O> | GivenNothing<O>>,
): HandlerTask<I, O> {
  return { ...options, name: nameOf(options.name, run), kind: 'handler', run };
}

export interface CodeOptions<I extends SchemaLike | undefined, O extends SchemaLike | undefined> extends TaskOptions<
  I,
  O
> {
  /**
   * The file in which the function is written: `import.meta.url`, or `__filename`. Needed when it uses imports or constants
   * of that file: they are found there, and travel along.
   */
  from?: string | undefined;
  /** How the code is isolated; default that of the worker. */
  sandbox?: Exclude<SandboxLevel, 'none'> | undefined;
}

/**
 * Defines a task whose function travels: it is bundled with what it imports, and runs on any worker, in a process of its own.
 * `workflow.add` refuses with `code_not_portable` what can't travel.
 */
export function task<I extends SchemaLike | undefined = undefined, O extends SchemaLike | undefined = undefined>(
  options: CodeOptions<I, O>,
  run: CodeFunction<Checked<I>, Given<O> | GivenNothing<O>>,
): CodeTask<I, O> {
  const name = nameOf(options.name, run);
  return { ...options, name, kind: 'code', run, from: options.from, sandbox: options.sandbox };
}

function nameOf(given: string | undefined, run: { readonly name: string } | undefined): string {
  const name = given ?? run?.name;
  if (name !== undefined && name !== '') return name;
  throw new LatticeError('bad_value', 'a task has a name: give one, or a function that has one');
}

/** A task that declares no outputs may give anything. */
type GivenNothing<O> = O extends SchemaLike ? never : unknown;
