import type { Artifact, Language, SandboxLevel, TaskError } from '@lattice/contracts';
import type { Readable } from 'node:stream';
import type { ArtifactKeeper, GivenFile } from './artifacts/port';

/** A piece of a task's log, valid Unicode. Usually whole lines; a line without an end is passed on after 100 ms. */
export interface LogChunk {
  stream: 'stdout' | 'stderr';
  text: string;
  /** Milliseconds since 1970 on the worker's clock. */
  at: number;
}

/** What an execution may use. A limit that is left out does not apply; the README says which level enforces which. */
export interface ExecutionLimits {
  /** Milliseconds from the start of the process, container or handler; the pull of an image is not counted. */
  timeoutMs?: number;
  /** Milliseconds between the request to stop (SIGTERM, abort signal) and SIGKILL. */
  graceMs: number;
  memoryBytes?: number;
  /** Processors, fractions allowed. Enforced at level docker, and for processes where the worker makes control groups. */
  cpu?: number;
  /** The output may have this many bytes of JSON text. */
  outputBytes: number;
  /** stdout and stderr together; what is above is dropped, and one line says so. */
  logBytes: number;
  processes?: number;
  /** No file that the task writes may grow above this. */
  fileBytes?: number;
}

export interface CodeProgram {
  uses: 'code';
  code: {
    language: Language;
    source: string;
    /** At level seccomp and docker a task has no network unless this is true. */
    network?: boolean;
  };
}

/** A folder of the worker's host of which containers may be given something. */
export interface Mountable {
  readonly folder: string;
  readonly writable: boolean;
}

/** A folder or file of the worker's host that a container is given. */
export interface ContainerMount {
  source: string;
  target: string;
  readOnly: boolean;
}

export interface ContainerProgram {
  uses: 'container';
  container: {
    image: string;
    command?: string[];
    entrypoint?: string[];
    env: Record<string, string>;
    /** Default: none. */
    network?: 'none' | 'bridge';
    workdir?: string;
    mounts?: readonly ContainerMount[];
  };
}

export interface ScriptProgram {
  uses: 'script';
  script: {
    /** That the worker runs scripts of. The task sees it as its working folder. */
    folder: string;
    /** Of the file, below the folder. */
    path: string;
    args: string[];
    /** Exit codes of success. */
    allowExit: number[];
    /** Needed at level docker. */
    image?: string;
    /** At level seccomp and docker a task has no network unless this is true. */
    network?: boolean;
  };
}

export interface HandlerProgram {
  uses: `handler/${string}`;
}

export interface HttpProgram {
  uses: 'http';
  http: {
    url: string;
    method: string;
    headers: Record<string, string>;
    body?: string;
    /** Statuses that count as success; default 200 to 299. */
    expect?: number[];
    /** Of the body of the answer. */
    maxBytes: number;
  };
}

/** GPUs that an execution has to itself, or shares of them. */
export interface GpuGrant {
  /** Of GPUs or of instances of them (MIG). None: the execution is to see none of the GPUs there are. */
  uuids: readonly string[];
  /** Fencing token of the lease; 0 without one. */
  token: number;
  /** Open files that hold the lease: processes of the execution inherit them, and hold it for as long as they live. */
  fds: readonly number[];
  /** Holds the lease until that has ended, for what inherits nothing and can't be killed: a handler that outlives its outcome. */
  holdUntil?(ended: Promise<unknown>): void;
}

/** Labels of the worker that a handler may set while the worker lives. */
export interface LabelSetter {
  /** Others prefer, or require, the worker by it: what it has loaded, for instance. */
  set(name: string, value: string | number | boolean): void;
  delete(name: string): void;
}

/** The batch that a handler is called for. */
export interface BatchInfo {
  readonly key: string;
  /** One for each input, in their order. */
  readonly members: readonly { readonly runId: string; readonly taskKey: string; readonly attempt: number }[];
}

interface ExecutionBase {
  /** runId.epoch.taskKey.attempt: for names, labels and messages. Need not be unique within the worker. */
  id: string;
  /** A JSON value. */
  input: unknown;
  env: Record<string, string>;
  limits: ExecutionLimits;
  /** Given to handlers; default 1. */
  attempt?: number;
  /** Absent where nothing is known of GPUs: what the worker sees, the execution sees. */
  gpus?: GpuGrant;
  /** For handlers. */
  labels?: LabelSetter;
  /** For handlers: the input is a list. */
  batch?: BatchInfo;
  /** For code, containers and scripts: files that they find below $LATTICE_FILES. */
  files?: readonly GivenFile[];
  /** What becomes of the files that are left below $LATTICE_ARTIFACTS, or that a handler saves; absent: the first are dropped, the second refused. */
  artifacts?: ArtifactKeeper;
  /** For handlers: the bytes of an artifact that its run may have. Throws `artifact_not_found`, `artifact_not_granted`, `artifacts_unavailable`. */
  openArtifact?(id: string, signal: AbortSignal): Promise<Readable>;
  /** For handlers of workers outside, which save by themselves: what the attempt has saved. Throws when these ids are not all of it. */
  savedArtifacts?(ids: readonly string[]): Promise<readonly Artifact[]>;
  /** A returned promise pauses the reading of the log (back-pressure). A throw or rejection is ignored. */
  onLog(chunk: LogChunk): void | Promise<void>;
  /** Called by handlers: 0 to 100. */
  onProgress?(percent: number, message?: string): void;
  /** A sign of life beside log and progress: `ctx.heartbeat()`, or a log that goes on above its size. */
  onAlive?(): void;
}

/** What to run, with every expression already resolved. */
export type Execution = ExecutionBase & (CodeProgram | ContainerProgram | ScriptProgram | HandlerProgram | HttpProgram);

/** What the levels of processes run, and docker too. */
export type ProcessExecution = ExecutionBase & (CodeProgram | ScriptProgram);

export type Outcome =
  /** `outputJson` is the JSON text as the task wrote it, so that nothing is lost by parsing it again; `cachedFrom` is the run that did the work, if it was another; `artifacts` are the files that were kept. */
  | { status: 'completed'; outputJson: string; cachedFrom?: string; artifacts?: readonly Artifact[] }
  | { status: 'failed'; error: TaskError }
  | { status: 'cancelled' };

export type WaitResult = { state: 'done'; outcome: Outcome } | { state: 'pending' };

export interface Handle {
  /** The outcome when it is there already: saves the hot path a turn of the event loop. */
  readonly outcome: Outcome | undefined;
  /** Never rejects. When it resolves, nothing of the execution runs any more (level none excepted). */
  result(): Promise<Outcome>;
  /** `wait(0)` answers at once. */
  wait(timeoutMs: number): Promise<WaitResult>;
  /** Stops the work; resolves when it has ended. An execution that has ended already keeps its outcome. */
  cancel(reason: string): Promise<void>;
}

export interface Executor {
  /** The level that is really used. */
  readonly level: SandboxLevel;
  /** Never throws: what goes wrong is the outcome. */
  submit(execution: Execution): Handle;
  /** Cancels what runs and waits for its end. Nothing may be submitted afterwards. */
  close(): Promise<void>;
}

/** What a handler may save: text (UTF-8), bytes, or a stream of either. */
export type ArtifactBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Files of handlers. What is saved shows with the task when the attempt completes, and never when it does not. */
export interface HandlerArtifacts {
  /**
   * Saves a file. `name` may have folders (`plots/a.png`). Throws `artifact_refused` for a name that is none or comes twice,
   * `artifacts_too_large`, `artifacts_unavailable`; the attempt then fails with that, also when nobody waits for the promise.
   */
  readonly save: (name: string, body: ArtifactBody) => Promise<Artifact>;
  /** The bytes of an artifact that the run may have, as `with.files` would give it; by its reference or its id. */
  readonly read: (artifact: string | Pick<Artifact, 'id'>) => Promise<Readable>;
}

export interface HandlerContext {
  /** Aborted on timeout and cancel. A handler that ignores it can't be stopped. */
  readonly signal: AbortSignal;
  readonly attempt: number;
  /** RUN.EPOCH.TASK.ATTEMPT, as LATTICE_EXECUTION in a process: give it to outside systems that are to refuse a late attempt. */
  readonly token: string;
  /** One line or more, into the log of the task. */
  readonly log: (text: string) => void;
  readonly progress: (percent: number, message?: string) => void;
  /** Says that the work goes on: a task with a `heartbeat` must do so, log a line or tell its progress within that time. */
  readonly heartbeat: () => void;
  /** UUIDs of the GPUs that the task was given. */
  readonly gpus: readonly string[];
  readonly labels: LabelSetter;
  readonly artifacts: HandlerArtifacts;
  /** The `env` of the task, secrets included; the environment of the worker process is not in it. */
  readonly env: Readonly<Record<string, string>>;
  /** Of a task that is done in batches: the input is the list of inputs, the output the list of outputs. */
  readonly batch: BatchInfo | undefined;
}

/** A function of the worker. Returns a JSON value (undefined counts as null), or throws. */
export type Handler = (input: unknown, context: HandlerContext) => unknown;
