import type { RunStatus, SubmitRun } from '@lattice/contracts';
import type { CallOptions } from './request';

/** `workflow` is the name of a saved workflow or a document; `yaml` is the text of a document. */
export type SubmitOptions = CallOptions & {
  /** The same key within 24 h gives the first run again. Made by the client when absent, so that a submit may be repeated. */
  idempotencyKey?: string | undefined;
} & (SubmitRun | (Omit<SubmitRun, 'workflow' | 'version'> & { yaml: string }));

export interface ListRunsOptions extends CallOptions {
  /** One, or any of several. */
  status?: RunStatus | readonly RunStatus[] | undefined;
  workflow?: string | undefined;
  tag?: string | undefined;
  /** Runs that this schedule made. */
  schedule?: string | undefined;
  /** Runs that tasks of this run started; without it those that nobody started. */
  parent?: string | undefined;
  /** Created at this time (ISO 8601) or later. */
  createdAfter?: string | undefined;
  /** Created before this time (ISO 8601). */
  createdBefore?: string | undefined;
  /** A worker that had the last attempt of a task. */
  worker?: string | undefined;
  /** A text within workflow, tags, schedule, error, reason or inputs, or the begin of the id. */
  q?: string | undefined;
  /** Runs a page. */
  limit?: number | undefined;
  /** `next` of the page before: runs older than this one. */
  before?: string | undefined;
}

export interface WaitOptions {
  /** A duration such as `30s`: then the run is given as it is at that moment. Default `1h`. */
  timeout?: string | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the server may be away before this gives up with Unreachable, within `timeout`. Default 120,000 for a client
   * that had an answer before; one that never had gives up after three more tries.
   */
  awayMs?: number | undefined;
}
