import type { FinalTaskStatus } from '@lattice/contracts';
import { call, list, wrap } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/** A gate that the end of a task counts towards, and how many tasks it waits for. */
export interface GateCount {
  readonly gate: number;
  readonly needs: number;
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
      readonly lost: number;
      readonly inputs: string;
      readonly results: StoredResult[];
    }
  | { readonly reply: 'lost'; readonly attempt: number; readonly lost: number; readonly worker: string }
  | { readonly reply: 'early'; readonly delay: number }
  | {
      readonly reply:
        'uninitialised' | 'gone' | 'stale' | 'recorded' | 'busy' | 'cancelling' | 'failing' | 'paused' | 'final';
    };

/** Above so many unread events no attempt begins: the history has to catch up first. */
export const MAX_UNREAD = 200_000;
/** So many attempts may lose their worker before the task fails with `worker_lost`. */
export const MAX_LOST = 3;

/** Begins an attempt. `nonce` makes a repeated call (only the reply was lost) give the same answer. */
export async function begin(
  queue: QueueConnection,
  run: RunRef,
  options: {
    taskKey: string;
    workerId: string;
    nonce: string;
    startedJson: string;
    wantInputs: boolean;
    results: readonly string[];
  },
): Promise<Begun> {
  // What an older Redis offers may have been done long ago.
  if (!queue.trust.holds) await queue.trust.wait();
  const reply = list(
    await call(
      queue.redis,
      'begin',
      [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch],
      [
        run.runId,
        run.epoch,
        options.taskKey,
        `${options.workerId}|${options.nonce}`,
        options.startedJson,
        MAX_UNREAD,
        MAX_LOST,
        options.wantInputs ? 1 : 0,
        ...options.results,
      ],
    ),
  );
  const [kind, first, second, third] = reply;
  switch (kind) {
    case 'ok':
      return {
        reply: 'ok',
        attempt: Number(first),
        lost: Number(second),
        inputs: String(third),
        results: options.results.map((_, index) => resultAt(reply, 4 + index * 3)),
      };
    case 'lost':
      return { reply: 'lost', attempt: Number(first), lost: Number(second), worker: String(third) };
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

/** Records how a task ended: the commit point. `attempt` is the token that `begin` gave, 0 when none was begun. */
export async function record(
  queue: QueueConnection,
  run: RunRef,
  options: {
    taskKey: string;
    attempt: number;
    status: FinalTaskStatus;
    output: string;
    /** Bytes of an output that is kept in Postgres. */
    outputBytes?: number;
    error: string;
    eventJson: string;
    gates: readonly GateCount[];
  },
): Promise<Recorded> {
  const reply = list(
    wrap(
      await call(
        queue.redis,
        'record',
        [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch, queue.keys.channel('control')],
        [
          run.runId,
          run.epoch,
          options.taskKey,
          options.attempt,
          options.status,
          options.output,
          options.error,
          options.eventJson,
          options.outputBytes ?? '',
          ...options.gates.flatMap(({ gate, needs }) => [gate, needs]),
        ],
      ),
    ),
  );
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
  options: { taskKey: string; attempt: number; delayMs: number; eventJson: string },
): Promise<Retried> {
  const reply = await call(
    queue.redis,
    'retry',
    [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch],
    [run.runId, run.epoch, options.taskKey, options.attempt, options.delayMs, options.eventJson],
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
export async function markQueued(
  queue: QueueConnection,
  run: RunRef,
  tasks: readonly { key: string; json: string }[],
): Promise<void> {
  await call(
    queue.redis,
    'queued',
    [queue.keys.run(run.runId), queue.keys.events],
    [run.runId, run.epoch, ...tasks.flatMap(({ key, json }) => [key, json])],
  );
}
