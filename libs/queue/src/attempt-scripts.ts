import type { FinalTaskStatus } from '@lattice/contracts';
import { call, isLoaded, list, wrap, type Argument } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/** A task that is about to be queued: its key, and the data of task.queued. */
export interface QueuedTask {
  readonly key: string;
  readonly json: string;
}

/** A gate that the end of a task counts towards, and how many tasks it waits for. */
export interface GateCount {
  readonly gate: number;
  readonly needs: number;
  /** Tasks that are queued when it opens and every task so far has completed; without them the release tells so. */
  readonly queued?: readonly QueuedTask[];
}

/** How a task ended, as the run hash has it. Empty texts mean none. */
export interface StoredResult {
  readonly status: FinalTaskStatus | '';
  /** JSON text; `@N` when attempt N kept it in Postgres for its size. */
  readonly output: string;
  /** JSON of the error, or the reason of a skip or cancel. */
  readonly error: string;
}

export type Begun =
  | {
      readonly reply: 'ok';
      readonly attempt: number;
      /** Attempts before this one that don't count as tries: lost, or given back. */
      readonly lost: number;
      readonly inputs: string;
      readonly results: StoredResult[];
    }
  | { readonly reply: 'lost'; readonly attempt: number; readonly lost: number; readonly worker: string }
  | { readonly reply: 'early'; readonly delay: number }
  /** The run goes by plans of another version. */
  | { readonly reply: 'version'; readonly version: number }
  | {
      readonly reply:
        'uninitialised' | 'gone' | 'stale' | 'recorded' | 'busy' | 'cancelling' | 'failing' | 'paused' | 'final';
    };

/** Above so many unread events no attempt begins: the history has to catch up first. */
export const MAX_UNREAD = 200_000;
/** So many attempts may lose their worker before the task fails with `worker_lost`. */
export const MAX_LOST = 3;

export interface BeginOptions {
  readonly taskKey: string;
  readonly workerId: string;
  /** Makes a repeated call (only the reply was lost) give the same answer. */
  readonly nonce: string;
  readonly startedJson: string;
  readonly wantInputs: boolean;
  /** Version of the plan that the job is of. */
  readonly version: number;
  /** Whether an attempt that is live under the same nonce goes on while its run is paused. */
  readonly goesOn: boolean;
  /** Tasks whose results are wanted. */
  readonly results: readonly string[];
}

/** Begins an attempt. */
export async function begin(queue: QueueConnection, run: RunRef, options: BeginOptions): Promise<Begun> {
  // What an older Redis offers may have been done long ago.
  if (!queue.trust.holds) await queue.trust.wait();
  const keys = [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch];
  return readBegun(list(await call(queue.redis, 'begin', keys, beginArguments(run, options))), options);
}

function beginArguments(run: RunRef, options: BeginOptions): Argument[] {
  return [
    run.runId,
    run.epoch,
    options.taskKey,
    `${options.workerId}|${options.nonce}`,
    options.startedJson,
    MAX_UNREAD,
    MAX_LOST,
    options.wantInputs ? 1 : 0,
    options.version,
    options.goesOn ? 1 : 0,
    ...options.results,
  ];
}

function readBegun(reply: readonly unknown[], { results }: BeginOptions): Begun {
  const [kind, first, second, third] = reply;
  switch (kind) {
    case 'ok':
      return {
        reply: 'ok',
        attempt: Number(first),
        lost: Number(second),
        inputs: String(third),
        results: results.map((_, index) => resultAt(reply, 4 + index * 3)),
      };
    case 'lost':
      return { reply: 'lost', attempt: Number(first), lost: Number(second), worker: String(third) };
    case 'version':
      return { reply: 'version', version: Number(first) };
    case 'early':
      return { reply: 'early', delay: Number(first) };
    case 'uninitialised':
    case 'gone':
    case 'stale':
    case 'recorded':
    case 'busy':
    case 'cancelling':
    case 'failing':
    case 'paused':
    case 'final':
      return { reply: kind };
    default:
      throw new TypeError(`begin replied ${JSON.stringify(reply)}`);
  }
}

function resultAt(reply: readonly unknown[], at: number): StoredResult {
  return { status: statusOf(reply[at]), output: textOf(reply[at + 1]), error: textOf(reply[at + 2]) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function statusOf(value: unknown): FinalTaskStatus | '' {
  return value === 'completed' || value === 'failed' || value === 'skipped' || value === 'cancelled' ? value : '';
}

export type Recorded =
  | {
      /** `repeat`: it stood already as it was given. */
      readonly reply: 'ok' | 'repeat';
      /** What was stored: `cancelled` when the run is being stopped. */
      readonly status: FinalTaskStatus | '';
      readonly left: number;
      readonly state: string;
      /** Tasks of the run that ended otherwise than completed. */
      readonly others: number;
      readonly open: number[];
    }
  | { readonly reply: 'uninitialised' | 'gone' | 'stale' | 'fenced' };

export interface RecordOptions {
  readonly taskKey: string;
  /** The token that `begin` gave; 0 of one that was never begun, `idle` of one that may have ended attempts and has none under way. */
  readonly attempt: number | 'idle';
  readonly status: FinalTaskStatus;
  readonly output: string;
  /** Bytes of an output that is kept in Postgres. */
  readonly outputBytes?: number;
  readonly error: string;
  readonly eventJson: string;
  /** Data of run.completed, should this be the last task and all have completed; without it somebody has to finalise. */
  readonly endJson?: string;
  readonly gates: readonly GateCount[];
}

/** True when commands that follow a {@link record} may be sent without waiting for its reply: they are done after it. */
export function recordsInOrder(queue: QueueConnection): boolean {
  return isLoaded(queue.redis, 'record');
}

/** Records how a task ended: the commit point. The command has left when the call returns, before its promise resolves. */
export async function record(queue: QueueConnection, run: RunRef, options: RecordOptions): Promise<Recorded> {
  return readRecorded(
    list(wrap(await call(queue.redis, 'record', recordKeys(queue, run), recordArguments(run, options)))),
  );
}

/**
 * {@link record}, and {@link begin} of the next task of a chain in the same step. `begun` is missing when the first did not
 * complete, the run does not go on, or nothing may begin now.
 */
export async function recordAndBegin(
  queue: QueueConnection,
  run: RunRef,
  ended: RecordOptions,
  next: BeginOptions,
): Promise<{ recorded: Recorded; begun?: Begun }> {
  if (!queue.trust.holds) return { recorded: await record(queue, run, ended) };
  const first = recordArguments(run, ended);
  const args = [first.length, ...first, ...beginArguments(run, next)];
  const [recorded, begun] = list(await call(queue.redis, 'advance', recordKeys(queue, run), args));
  return {
    recorded: readRecorded(list(recorded)),
    ...(begun === undefined ? {} : { begun: readBegun(list(begun), next) }),
  };
}

function recordKeys({ keys }: QueueConnection, run: RunRef): string[] {
  return [keys.run(run.runId), keys.events, keys.epoch, keys.channel('control')];
}

function recordArguments(run: RunRef, options: RecordOptions): Argument[] {
  return [
    run.runId,
    run.epoch,
    options.taskKey,
    options.attempt,
    options.status,
    options.output,
    options.error,
    options.eventJson,
    options.outputBytes ?? '',
    options.endJson ?? '',
    ...options.gates.flatMap(({ gate, needs, queued = [] }) => [gate, needs, queued.length, ...pairsOf(queued)]),
  ];
}

/** Keys and data of tasks, as scripts take them. */
export function pairsOf(tasks: readonly QueuedTask[]): string[] {
  return tasks.flatMap(({ key, json }) => [key, json]);
}

function readRecorded(reply: readonly unknown[]): Recorded {
  const [kind, status, left, state, others, ...open] = reply;
  switch (kind) {
    case 'ok':
    case 'repeat':
      return {
        reply: kind,
        status: statusOf(status),
        left: Number(left),
        state: String(state),
        others: Number(others),
        open: open.map(Number),
      };
    case 'uninitialised':
    case 'gone':
    case 'stale':
    case 'fenced':
      return { reply: kind };
    default:
      throw new TypeError(`record replied ${JSON.stringify(reply)}`);
  }
}

/** `stopping`: the run is being stopped, so that there is no other attempt. */
export type Retried = 'ok' | 'repeat' | 'uninitialised' | 'gone' | 'stale' | 'fenced' | 'stopping';

/** Ends an attempt that is to be tried again after `delayMs`. */
export async function recordRetry(
  queue: QueueConnection,
  run: RunRef,
  options: {
    taskKey: string;
    attempt: number;
    delayMs: number;
    eventJson: string;
    /** The worker gave the task back: the attempt is no try of it. */
    givenBack?: boolean;
  },
): Promise<Retried> {
  const reply = await call(
    queue.redis,
    'retry',
    [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch],
    [
      run.runId,
      run.epoch,
      options.taskKey,
      options.attempt,
      options.delayMs,
      options.eventJson,
      options.givenBack === true ? 1 : 0,
    ],
  );
  switch (reply) {
    case 'ok':
    case 'repeat':
    case 'uninitialised':
    case 'gone':
    case 'stale':
    case 'fenced':
    case 'stopping':
      return reply;
    default:
      throw new TypeError(`retry replied ${JSON.stringify(reply)}`);
  }
}

/** Writes task.queued for tasks that are about to be added, each once. */
export async function markQueued(queue: QueueConnection, run: RunRef, tasks: readonly QueuedTask[]): Promise<void> {
  await call(
    queue.redis,
    'queued',
    [queue.keys.run(run.runId), queue.keys.events],
    [run.runId, run.epoch, ...pairsOf(tasks)],
  );
}
