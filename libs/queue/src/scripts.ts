import type { EventType, FinalTaskStatus } from '@lattice/contracts';
import type { QueueConnection } from './connection';
import { call, list, wrap, type Argument } from './call-script';

/** The identity of a run that every call of a script needs. */
export interface RunRef {
  readonly runId: string;
  readonly epoch: number;
}

/** A gate that the end of a task counts towards, and how many tasks it waits for. */
export interface GateCount {
  readonly gate: number;
  readonly needs: number;
}

/** Makes the run hash; `fields` are what is known from before, when a run is made again. */
export async function createRun(
  queue: QueueConnection,
  run: RunRef,
  options: {
    sha: string;
    inputsJson: string;
    /** Tasks that have not ended. */
    left: number;
    onFailure: string;
    priority: number;
    /** The event that comes before run.started. */
    event?: { type: EventType; json: string };
    fields?: Readonly<Record<string, string | number>>;
  },
): Promise<'created' | 'exists'> {
  const { sha, inputsJson, left, onFailure, priority, event, fields = {} } = options;
  const reply = await call(
    queue.redis,
    'create',
    [queue.keys.run(run.runId), queue.keys.events],
    [
      run.runId,
      run.epoch,
      sha,
      inputsJson,
      left,
      onFailure,
      priority,
      event?.type ?? '',
      event?.json ?? '',
      ...pairs(fields),
    ],
  );
  return reply === 'created' ? 'created' : 'exists';
}

function pairs(fields: Readonly<Record<string, string | number>>): Argument[] {
  return Object.entries(fields).flat();
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

/** A task that a worker still has while its run is being stopped. */
export interface LiveTask {
  readonly taskKey: string;
  readonly workerId: string;
}

/** Cancels tasks of a run that is being stopped; tells what is left and who has it. Undefined when it is not being stopped. */
export async function settle(
  queue: QueueConnection,
  run: RunRef,
  reason: string,
  taskKeys: readonly string[],
): Promise<{ left: number; live: LiveTask[] } | undefined> {
  const [left, ...rest] = list(
    await call(
      queue.redis,
      'settle',
      [queue.keys.run(run.runId), queue.keys.events],
      [run.runId, run.epoch, reason, ...taskKeys],
    ),
  );
  if (left === -1) return undefined;
  const live: LiveTask[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    live.push({ taskKey: String(rest[at]), workerId: String(rest[at + 1]).split('|')[0] ?? '' });
  }
  return { left: Number(left), live };
}

/** Begins to stop a run: to cancel it, or with `errorJson` to let it fail. */
export async function stopRun(
  queue: QueueConnection,
  runId: string,
  why: { reason: string; errorJson?: string },
): Promise<'ok' | 'gone' | 'final'> {
  const reply = await call(
    queue.redis,
    'stop',
    [queue.keys.run(runId), queue.keys.channel('control')],
    [runId, why.reason, why.errorJson ?? ''],
  );
  return reply === 'ok' || reply === 'final' ? reply : 'gone';
}

/** Pauses a run: what runs goes on, nothing more begins. */
export async function pauseRun(queue: QueueConnection, runId: string): Promise<boolean> {
  return (await call(queue.redis, 'pause', [queue.keys.run(runId), queue.keys.events], [runId])) === 'ok';
}

/** Lets a paused run go on. Returns the jobs that were parked meanwhile; undefined when it was not paused. */
export async function resumeRun(
  queue: QueueConnection,
  runId: string,
): Promise<{ epoch: number; parked: { taskKey: string; className: string }[] } | undefined> {
  const [kind, epoch, ...rest] = list(
    wrap(await call(queue.redis, 'resume', [queue.keys.run(runId), queue.keys.events], [runId])),
  );
  if (kind !== 'ok') return undefined;
  const parked = rest.flatMap((taskKey, at) =>
    at % 2 === 0 ? [{ taskKey: String(taskKey), className: String(rest[at + 1]) }] : [],
  );
  return { epoch: Number(epoch), parked };
}

/** Notes that a job of a paused run is put aside until the run goes on. False when the run is not paused any more. */
export async function parkJob(
  queue: QueueConnection,
  run: RunRef,
  job: { taskKey: string; className: string },
): Promise<boolean> {
  const reply = await call(queue.redis, 'park', [queue.keys.run(run.runId)], [run.epoch, job.taskKey, job.className]);
  return reply === 'ok';
}

/** Ends a run whose tasks have all ended, if its state is still the one expected. */
export async function finaliseRun(
  queue: QueueConnection,
  run: RunRef,
  options: { state: string; type: string; eventJson: string },
): Promise<'ok' | 'open' | 'changed' | 'final' | 'gone'> {
  const reply = await call(
    queue.redis,
    'finalise',
    [queue.keys.run(run.runId), queue.keys.events],
    [run.runId, run.epoch, options.state, options.type, options.eventJson],
  );
  return reply === 'ok' || reply === 'open' || reply === 'changed' || reply === 'final' ? reply : 'gone';
}

/** Deletes the run hash of this epoch. Only after the run is final in Postgres and its jobs are gone. */
export async function deleteRun(queue: QueueConnection, run: RunRef): Promise<void> {
  await call(queue.redis, 'forget', [queue.keys.run(run.runId)], [run.epoch]);
}
