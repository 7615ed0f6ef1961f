import {
  clearedSchema,
  isFinalRun,
  runListSchema,
  runReportSchema,
  runViewSchema,
  savedWorkflowSchema,
  submittedSchema,
  validationSchema,
  workerViewSchema,
  workflowListSchema,
  type ArtifactView,
  type Fault,
  type ForkRun,
  type LogEntry,
  type RunEvent,
  type RunList,
  type RunLogEntry,
  type RunReport,
  type RunView,
  type SavedWorkflow,
  type WorkerOrder,
  type WorkerView,
} from '@lattice/contracts';
import type { ListRunsOptions, SubmitOptions, WaitOptions } from './client-options';
import { addressOf, fromEnvironment } from './address';
import { bodyOf, yamlSubmission } from './document-body';
import { ApiError } from './errors';
import { followEvents, type EventsOptions } from './events';
import { newKey } from './new-key';
import { allPages, fit, listIn, type Schema } from './parse-body';
import { listArtifacts, readArtifact } from './read-artifacts';
import { readLogPage, readLogs, searchLogs, type LogPageOptions } from './read-logs';
import { resultsOf, type TaskResult } from './results';
import {
  MARKDOWN,
  connectionTo,
  request,
  type Call,
  type CallOptions,
  type ClientOptions,
  type Connection,
} from './request';
import { Keys } from './keys';
import { Schedules } from './schedules';
import { Secrets } from './secrets';
import { waitForEnd } from './wait-for-end';

/** A client of the REST contract. Every method may throw ApiError, Unreachable, and the reason of an aborted signal. */
export class LatticeClient {
  /** The address as given, without a slash at the end. */
  readonly url: string;
  /** Runs by the clock. */
  readonly schedules: Schedules;
  readonly keys: Keys;
  /** Values that tasks are given and nobody is shown. */
  readonly secrets: Secrets;
  private readonly connection: Connection;

  /** Throws `bad_value` for an address that is none. */
  constructor(options: ClientOptions = {}) {
    this.url = addressOf(options.url);
    this.connection = connectionTo(this.url, options.apiKey ?? fromEnvironment('LATTICE_API_KEY'), options);
    this.schedules = new Schedules(this.connection);
    this.keys = new Keys(this.connection);
    this.secrets = new Secrets(this.connection);
  }

  /** Stores a new run, and gives its id; it starts on its own. */
  async submit(options: SubmitOptions): Promise<{ runId: string }> {
    const { signal, timeoutMs, idempotencyKey = newKey(), ...rest } = options;
    const asked = 'yaml' in rest ? yamlSubmission(rest) : ({ body: { type: 'json', value: rest } } as const);
    const call: Call = { ...asked, method: 'POST', path: '/v1/runs', idempotencyKey, signal, timeoutMs };
    return this.parse(submittedSchema, call);
  }

  /** A run with its summary and its tasks; `tasks: false` leaves the tasks out, which is cheap for a run of thousands. */
  async getRun(runId: string, options: CallOptions & { tasks?: boolean } = {}): Promise<RunView> {
    const { tasks, ...call } = options;
    const query = tasks === false ? { tasks: 'false' } : undefined;
    return this.parse(runViewSchema, { ...call, method: 'GET', path: runPath(runId), query });
  }

  /** One page, newest first. With `q` or `worker` it may be short though there is a `next`: the search goes on there. */
  async listRuns(options: ListRunsOptions = {}): Promise<RunList> {
    const { signal, timeoutMs, ...query } = options;
    return this.parse(runListSchema, { signal, timeoutMs, method: 'GET', path: '/v1/runs', query });
  }

  /** The run when it has ended, or as it is when the timeout has passed. Goes on over restarts of the API. */
  async wait(runId: string, options: WaitOptions = {}): Promise<RunView> {
    return waitForEnd(this.connection, runPath(runId), options);
  }

  /** All there is to say of a run: summary, tasks, and every attempt. */
  async report(runId: string, options: CallOptions = {}): Promise<RunReport> {
    return this.parse(runReportSchema, { ...options, method: 'GET', path: `${runPath(runId)}/report` });
  }

  /** {@link report} as Markdown. */
  async reportText(runId: string, options: CallOptions = {}): Promise<string> {
    const call: Call = { ...options, method: 'GET', path: `${runPath(runId)}/report`, accept: MARKDOWN };
    return String(await request(this.connection, call));
  }

  /** Log entries of all tasks of a run that hold a text (all entries without one), in order. */
  async searchLogs(
    runId: string,
    options: CallOptions & { q?: string | undefined; task?: string | undefined } = {},
  ): Promise<RunLogEntry[]> {
    return searchLogs(this.connection, `${runPath(runId)}/logs`, options);
  }

  /** One page of {@link searchLogs}: `next` is the `after` of the page that follows. */
  async logPage(runId: string, options: LogPageOptions = {}): Promise<{ logs: RunLogEntry[]; next: string | null }> {
    return readLogPage(this.connection, `${runPath(runId)}/logs`, options);
  }

  async cancel(runId: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'POST', path: `${runPath(runId)}/cancel` });
  }

  async pause(runId: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'POST', path: `${runPath(runId)}/pause` });
  }

  async resume(runId: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'POST', path: `${runPath(runId)}/resume` });
  }

  /** Runs again what failed or was cancelled; the run keeps its id, finished tasks their results. */
  async retry(runId: string, options: CallOptions = {}): Promise<void> {
    await request(this.connection, { ...options, method: 'POST', path: `${runPath(runId)}/retry` });
  }

  /**
   * Runs a task of an ended run again, with all that is downstream of it; the run keeps its id and its other results.
   * `downstream: false` is for the task alone.
   */
  async rerun(
    runId: string,
    key: string,
    options: CallOptions & { downstream?: boolean | undefined } = {},
  ): Promise<void> {
    const { downstream = true, ...call } = options;
    const path = `${runPath(runId)}/tasks/${encodeURIComponent(key)}/rerun`;
    await request(this.connection, { ...call, method: 'POST', path, body: { type: 'json', value: { downstream } } });
  }

  /** Starts a new run that takes over the finished tasks of another, but for `from` and what is downstream of it. */
  async fork(
    runId: string,
    options: CallOptions & ForkRun & { idempotencyKey?: string | undefined },
  ): Promise<{ runId: string }> {
    const { signal, timeoutMs, idempotencyKey = newKey(), ...value } = options;
    return this.parse(submittedSchema, {
      method: 'POST',
      path: `${runPath(runId)}/fork`,
      body: { type: 'json', value },
      idempotencyKey,
      signal,
      timeoutMs,
    });
  }

  /** Gives a waiting task what it waits for. */
  async signal(runId: string, name: string, payload: unknown = null, options: CallOptions = {}): Promise<void> {
    const path = `${runPath(runId)}/signals/${encodeURIComponent(name)}`;
    await request(this.connection, { ...options, method: 'POST', path, body: { type: 'json', value: payload } });
  }

  /** Forgets results that are kept for tasks with `cache`: all, or those of a workflow or task. Returns how many. */
  async clearCache(
    filter: { workflow?: string | undefined; task?: string | undefined } = {},
    options: CallOptions = {},
  ): Promise<number> {
    const call: Call = { ...options, method: 'DELETE', path: '/v1/cache', query: { ...filter }, repeatable: true };
    return (await this.parse(clearedSchema, call)).cleared;
  }

  /** What the tasks of a run have left: files, and outputs too large to be kept inline. */
  async artifacts(runId: string, options: CallOptions & { task?: string | undefined } = {}): Promise<ArtifactView[]> {
    return listArtifacts(this.connection, `${runPath(runId)}/artifacts`, options);
  }

  /** The bytes of an artifact, as they come. There is no time limit but that of the signal. Throws ApiError and Unreachable. */
  async readArtifact(id: string, options: Pick<CallOptions, 'signal'> = {}): Promise<ReadableStream<Uint8Array>> {
    return readArtifact(this.connection, id, options);
  }

  /** What a task has written so far, over all attempts, in order. */
  async logs(
    runId: string,
    key: string,
    options: CallOptions & { attempt?: number | undefined } = {},
  ): Promise<LogEntry[]> {
    return readLogs(this.connection, `${runPath(runId)}/tasks/${encodeURIComponent(key)}/logs`, options);
  }

  async workers(options: CallOptions = {}): Promise<WorkerView[]> {
    const body = await request(this.connection, { ...options, method: 'GET', path: '/v1/workers' });
    return listIn(body, 'workers', workerViewSchema, this.url).items;
  }

  /** Lets a worker take no new tasks (cordon), and be done when the last has ended (drain), or take tasks again (uncordon). */
  async orderWorker(
    workerId: string,
    order: WorkerOrder,
    options: CallOptions & { exit?: boolean | undefined; timeout?: string | undefined } = {},
  ): Promise<void> {
    const { exit, timeout, ...call } = options;
    const path = `/v1/workers/${encodeURIComponent(workerId)}/${order}`;
    const body = order === 'drain' ? { body: { type: 'json', value: { exit, timeout } } as const } : {};
    await request(this.connection, { ...call, method: 'POST', path, ...body });
  }

  /** All saved workflows, without their documents. */
  async listWorkflows(options: CallOptions = {}): Promise<Omit<SavedWorkflow, 'document'>[]> {
    return allPages(async (cursor) => {
      const page = await this.parse(workflowListSchema, {
        ...options,
        method: 'GET',
        path: '/v1/workflows',
        query: { cursor },
      });
      return { items: page.workflows, next: page.next };
    });
  }

  /** A saved workflow, in its newest version when none is given. */
  async getWorkflow(
    name: string,
    options: CallOptions & { version?: number | undefined } = {},
  ): Promise<SavedWorkflow> {
    const { version, ...call } = options;
    const path = `/v1/workflows/${encodeURIComponent(name)}`;
    return this.parse(savedWorkflowSchema, { ...call, method: 'GET', path, query: { version } });
  }

  /** Saves a document (an object, or YAML text). A changed document is a new version; the same one keeps its version. */
  async saveWorkflow(document: Record<string, unknown> | string, options: CallOptions = {}): Promise<SavedWorkflow> {
    const call: Call = { ...options, method: 'POST', path: '/v1/workflows', body: bodyOf(document), repeatable: true };
    return this.parse(savedWorkflowSchema, call);
  }

  /** All faults of a document (an object, or YAML text); none when it is valid. */
  async validate(
    document: Record<string, unknown> | string,
    options: CallOptions = {},
  ): Promise<{ valid: boolean; faults: Fault[] }> {
    const path = '/v1/workflows/validate';
    const call: Call = { ...options, method: 'POST', path, body: bodyOf(document), repeatable: true };
    try {
      return await this.parse(validationSchema, call);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'invalid_document')
        return { valid: false, faults: [...error.faults] };
      throw error;
    }
  }

  /** The events of a run: those of the past, then live ones, each once and in order, until the final event. */
  events(runId: string, options: EventsOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    const isOver = async (): Promise<boolean> =>
      isFinalRun((await this.getRun(runId, { tasks: false, signal: options.signal })).status);
    return followEvents(this.connection, `${runPath(runId)}/events`, { ...options, isOver });
  }

  /**
   * How each task ended, as they end: the events of a run, told apart. Like `events` it connects again by itself, and gives each
   * result once.
   */
  results(runId: string, options: EventsOptions = {}): AsyncGenerator<TaskResult, void, undefined> {
    const outputOf = async (key: string): Promise<unknown> =>
      (await this.getRun(runId, { signal: options.signal })).tasks.find((task) => task.key === key)?.output ?? null;
    return resultsOf(this.events(runId, options), { url: this.url, outputOf });
  }

  private async parse<T>(schema: Schema<T>, call: Call): Promise<T> {
    return fit(schema, await request(this.connection, call), this.url);
  }
}

function runPath(runId: string): string {
  return `/v1/runs/${encodeURIComponent(runId)}`;
}
