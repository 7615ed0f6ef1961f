import type { QueueConnection } from './connection';
import type { StoredResult } from './attempt-scripts';

/** The head of a run hash: what holds for the run as a whole. */
export interface RunHead {
  readonly state: string;
  readonly epoch: number;
  readonly sha: string;
  /** Version of the plan that the run goes by; below 0 while the run is moved to that version. */
  readonly version: number;
  /** Version of the plan that its jobs are of. */
  readonly jobsOf: number;
  /** The run was moved to the version, and what is open may not be in the queues yet. */
  readonly moved: boolean;
  readonly inputsJson: string;
  readonly left: number;
  readonly failed: number;
  /** Tasks that ended otherwise than completed. */
  readonly others: number;
  readonly priority: number;
  /** JSON of the error that made the run fail; empty when there is none. */
  readonly errorJson: string;
  readonly failedTask: string;
  readonly cancelReason: string;
  /** RUN|TASK that started the run; '' when nothing did. */
  readonly parent: string;
  /** Last change, milliseconds since 1970 by the clock of Redis. */
  readonly changedAt: number;
}

/** Head of the run hash; undefined when there is none. */
export async function readHead(queue: QueueConnection, runId: string): Promise<RunHead | undefined> {
  const values = await queue.redis.hmget(
    queue.keys.run(runId),
    'st',
    'ep',
    'doc',
    'in',
    'n',
    'nf',
    'nc',
    'pr',
    'fe',
    'ft',
    'cr',
    'at',
    'pa',
    'v',
    'up',
    'vf',
  );
  const [
    state,
    epoch,
    sha,
    inputs,
    left,
    failed,
    others,
    priority,
    error,
    failedTask,
    reason,
    at,
    parent,
    version,
    moved,
    from,
  ] = values;
  if (state === null || state === undefined || epoch === null || epoch === undefined) return undefined;
  return {
    state,
    epoch: Number(epoch),
    sha: sha ?? '',
    version: Number(version ?? 0),
    jobsOf: Number(from ?? version ?? 0),
    moved: typeof moved === 'string',
    inputsJson: inputs ?? '{}',
    left: Number(left),
    failed: Number(failed),
    others: Number(others),
    priority: Number(priority),
    errorJson: error ?? '',
    failedTask: failedTask ?? '',
    cancelReason: reason ?? '',
    parent: parent ?? '',
    changedAt: Number(at),
  };
}

/** How tasks ended, in the order asked for; status '' for those that have not. */
export async function readResults(
  queue: QueueConnection,
  runId: string,
  taskKeys: readonly string[],
): Promise<StoredResult[]> {
  if (taskKeys.length === 0) return [];
  const fields = taskKeys.flatMap((key) => [`r:${key}`, `o:${key}`, `e:${key}`]);
  const values = await queue.redis.hmget(queue.keys.run(runId), ...fields);
  return taskKeys.map((_, index) => {
    const [status, output, error] = values.slice(index * 3, index * 3 + 3);
    return {
      status: endingOf(status),
      output: output ?? '',
      error: error ?? '',
    };
  });
}

/** How tasks ended, without what they gave; '' for those that have not. */
export async function readEndings(
  queue: QueueConnection,
  runId: string,
  taskKeys: readonly string[],
): Promise<StoredResult['status'][]> {
  const statuses: StoredResult['status'][] = [];
  for (let at = 0; at < taskKeys.length; at += 1_000) {
    const fields = taskKeys.slice(at, at + 1_000).map((key) => `r:${key}`);
    statuses.push(...(await queue.redis.hmget(queue.keys.run(runId), ...fields)).map(endingOf));
  }
  return statuses;
}

function endingOf(text: string | null | undefined): StoredResult['status'] {
  return text === 'completed' || text === 'failed' || text === 'skipped' || text === 'cancelled' ? text : '';
}

/** Which tasks have ended, and the attempts of those that are live. */
export async function readProgress(
  queue: QueueConnection,
  runId: string,
  taskKeys: readonly string[],
): Promise<{ ended: boolean; attempt: number; live: string }[]> {
  if (taskKeys.length === 0) return [];
  const values = await queue.redis.hmget(
    queue.keys.run(runId),
    ...taskKeys.flatMap((key) => [`r:${key}`, `a:${key}`, `w:${key}`]),
  );
  return taskKeys.map((_, index) => ({
    ended: typeof values[index * 3] === 'string',
    attempt: Number(values[index * 3 + 1] ?? 0),
    live: values[index * 3 + 2] ?? '',
  }));
}

/** How many tasks each gate has seen end. */
export async function readGates(queue: QueueConnection, runId: string, gates: readonly number[]): Promise<number[]> {
  if (gates.length === 0) return [];
  const values = await queue.redis.hmget(queue.keys.run(runId), ...gates.map((gate) => `g:${gate}`));
  return values.map((value) => Number(value ?? 0));
}

/** Ids of the runs that have a run hash. Walks the keys in steps; for sweeps, not for hot paths. */
export async function* runIds(queue: QueueConnection): AsyncGenerator<string> {
  const base = queue.keys.run('');
  // Glob characters of the prefix are taken literally.
  const match = `${base.replaceAll(/[[\]*?\\]/g, String.raw`\$&`)}*`;
  for await (const batch of queue.redis.scanStream({ match, count: 500 })) {
    for (const key of batch as string[]) yield key.slice(base.length);
  }
}

/** Of some tasks those that are not queued (in this epoch), with the number of their last attempt, 0 for none. */
export async function readUnqueued(
  queue: QueueConnection,
  runId: string,
  taskKeys: readonly string[],
): Promise<Map<string, number>> {
  if (taskKeys.length === 0) return new Map();
  const fields = taskKeys.flatMap((key) => [`q:${key}`, `a:${key}`]);
  const values = await queue.redis.hmget(queue.keys.run(runId), ...fields);
  return new Map(
    taskKeys.flatMap((key, index) => {
      const [queued, attempt] = values.slice(index * 2, index * 2 + 2);
      return typeof queued === 'string' ? [] : [[key, Number(attempt ?? 0)] as const];
    }),
  );
}

/** How many of a task's attempts were made before the last rerun of the run. */
export async function attemptsBefore(queue: QueueConnection, runId: string, taskKey: string): Promise<number> {
  return Number((await queue.redis.hget(queue.keys.run(runId), `b:${taskKey}`)) ?? 0);
}
