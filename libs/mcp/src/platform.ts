import type {
  Fault,
  RunList,
  RunLogEntry,
  RunStatus,
  RunView,
  SavedWorkflow,
  SubmitRun,
  WorkerView,
} from '@lattice/contracts';

/** What every call is given: aborting the signal ends it. */
export interface Call {
  readonly signal?: AbortSignal | undefined;
}

/** A run to be started: of a saved workflow or of a document, or of a document as YAML text. */
export type Start = Omit<SubmitRun, 'workflow' | 'version' | 'inputs'> & {
  readonly inputs?: Record<string, unknown> | undefined;
  /** The same key within 24 h gives the first run again. */
  readonly idempotencyKey?: string | undefined;
} & (
    | { readonly workflow: string | Record<string, unknown>; readonly version?: number | undefined }
    | { readonly yaml: string }
  );

/** Which runs to list; all of it narrows. */
export interface RunQuery extends Call {
  readonly status?: readonly RunStatus[] | undefined;
  readonly workflow?: string | undefined;
  readonly tag?: string | undefined;
  readonly schedule?: string | undefined;
  readonly parent?: string | undefined;
  readonly worker?: string | undefined;
  /** Times in ISO 8601. */
  readonly createdAfter?: string | undefined;
  readonly createdBefore?: string | undefined;
  readonly q?: string | undefined;
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
}

/** Which log entries of a run to read, one page. */
export interface LogQuery extends Call {
  readonly task?: string | undefined;
  readonly q?: string | undefined;
  readonly after?: string | undefined;
  /** Entries, at most 5,000. */
  readonly limit?: number | undefined;
}

/**
 * The port: what the tools need of Lattice. The API answers it from its engine, the command line through the SDK's client; the
 * names and shapes are those of that client. What is refused is thrown, and read by {@link Access.refusalOf}.
 */
export interface Platform {
  listWorkflows(call: Call): Promise<Omit<SavedWorkflow, 'document'>[]>;
  getWorkflow(name: string, call: Call & { readonly version?: number | undefined }): Promise<SavedWorkflow>;
  saveWorkflow(document: Record<string, unknown> | string, call: Call): Promise<SavedWorkflow>;
  validate(
    document: Record<string, unknown> | string,
    call: Call,
  ): Promise<{ valid: boolean; faults: readonly Fault[] }>;
  submit(start: Start & Call): Promise<{ runId: string }>;
  getRun(runId: string, call: Call & { readonly tasks?: boolean }): Promise<RunView>;
  listRuns(query: RunQuery): Promise<RunList>;
  /** Resolves when the run has ended, or the time (a duration) is over. */
  wait(runId: string, call: Call & { readonly timeout: string }): Promise<unknown>;
  logPage(runId: string, query: LogQuery): Promise<{ logs: RunLogEntry[]; next: string | null }>;
  /** The report of a run as Markdown. */
  reportText(runId: string, call: Call): Promise<string>;
  workers(call: Call): Promise<WorkerView[]>;
  cancel(runId: string, call: Call): Promise<void>;
  pause(runId: string, call: Call): Promise<void>;
  resume(runId: string, call: Call): Promise<void>;
  retry(runId: string, call: Call): Promise<void>;
  rerun(runId: string, task: string, call: Call & { readonly downstream: boolean }): Promise<void>;
  fork(
    runId: string,
    call: Call & {
      readonly from: string[];
      readonly inputs?: Record<string, unknown> | undefined;
      readonly idempotencyKey?: string | undefined;
    },
  ): Promise<{ runId: string }>;
  signal(runId: string, name: string, payload: unknown, call: Call): Promise<void>;
}

/** Why a call was refused, as data. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly faults?: readonly Fault[] | undefined;
  /** Seconds after which the same call may succeed. */
  readonly retryAfter?: number | undefined;
}

/** What a key must be allowed to for a tool: to look, or to change something as well. */
export type Need = 'viewer' | 'operator';

/** A caller with what answers them. */
export interface Access {
  readonly platform: Platform;
  /** Whether the key of the caller may; throws the refusal when not. Without it the platform refuses by itself. */
  readonly require?: ((need: Need) => void) | undefined;
  /** Reads whatever a method of the platform threw; what is not meant for callers must not be in it. */
  refusalOf(error: unknown): Refusal;
}
