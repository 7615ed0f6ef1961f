import type { EventType } from '@lattice/contracts';
import { pairsOf, type QueuedTask } from './attempt-scripts';
import { call, list, wrap, type Argument } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/** When a run hash may be made by one who did not look at Redis before. */
export interface CreateGuard {
  /** Milliseconds since 1970, by the clock of the caller. With a clock that is far behind that of Redis it is always too late. */
  readonly notAfter: number;
}

/** `exists`: it was made before. `late`, `uninitialised`: the guard forbids it. */
export type Created = 'created' | 'exists' | 'late' | 'uninitialised';

/** What a run hash is made of. */
export interface NewRunHash {
  readonly sha: string;
  /** Version of the plan that the run goes by. */
  readonly version: number;
  readonly inputsJson: string;
  /** Tasks that have not ended. */
  readonly left: number;
  readonly onFailure: string;
  readonly priority: number;
  /** The event that comes before run.started. */
  readonly event?: { type: EventType; json: string };
  /** Tasks that wait for nothing: about to be queued. */
  readonly queued?: readonly QueuedTask[];
  /** What is known from before, when a run is made again. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Without one it is made in any case; `stop` makes one that is stopped at once and never starts. */
  readonly guard?: CreateGuard | 'stop';
}

/** Makes the run hash. */
export async function createRun(queue: QueueConnection, run: RunRef, made: NewRunHash): Promise<Created> {
  const { sha, version, inputsJson, left, onFailure, priority, event, queued = [], fields = {}, guard } = made;
  const reply = await call(
    queue.redis,
    'create',
    [queue.keys.run(run.runId), queue.keys.events, queue.keys.epoch],
    [
      run.runId,
      run.epoch,
      guard === 'stop' ? guard : (guard?.notAfter ?? ''),
      sha,
      inputsJson,
      left,
      onFailure,
      priority,
      event?.type ?? '',
      event?.json ?? '',
      queued.length,
      ...pairsOf(queued),
      ...pairs({ v: version, ...fields }),
    ],
  );
  switch (reply) {
    case 'created':
    case 'exists':
    case 'late':
    case 'uninitialised':
      return reply;
    default:
      throw new TypeError(`create replied ${JSON.stringify(reply)}`);
  }
}

function pairs(fields: Readonly<Record<string, string | number>>): Argument[] {
  return Object.entries(fields).flat();
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

/** Lets a paused run go on. Returns the jobs that were parked meanwhile, also when asked again; undefined when it is being stopped, or gone. */
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
