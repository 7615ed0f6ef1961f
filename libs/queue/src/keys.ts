/** Names of keys, queues and channels under one prefix (a hash tag such as `{lattice:0}`). */
export interface Keys {
  readonly prefix: string;
  readonly events: string;
  /** Exists when Redis was initialised by a scheduler; without it `begin` and `record` refuse. */
  readonly epoch: string;
  /** The server that a scheduler has compared with Postgres. */
  readonly server: string;
  /** Id of the last event that was taken out of the stream because Postgres has it. */
  readonly mark: string;
  readonly classes: string;
  /** When each class was announced last. */
  readonly announced: string;
  readonly workers: string;
  run(runId: string): string;
  worker(workerId: string): string;
  /** What the worker was told to do. */
  workerOrder(workerId: string): string;
  channel(name: Channel): string;
}

/**
 * nudge: the outbox has work. ready: jobs were added to classes of workers. steps: jobs were added to the class of the schedulers. control: runs to be stopped. live: committed events.
 * schedules: a schedule was changed.
 */
export const CHANNELS = ['nudge', 'ready', 'steps', 'control', 'live', 'schedules'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The queue of root jobs, one per run. */
export const ROOT_QUEUE = 'runs';

export function keysOf(prefix: string): Keys {
  const own = `${prefix}:lattice`;
  return {
    prefix,
    events: `${own}:events`,
    epoch: `${own}:epoch`,
    server: `${own}:server`,
    mark: `${own}:mark`,
    classes: `${own}:classes`,
    announced: `${own}:announced`,
    workers: `${own}:workers`,
    run: (runId) => `${own}:run:${runId}`,
    worker: (workerId) => `${own}:worker:${workerId}`,
    workerOrder: (workerId) => `${own}:worker:${workerId}:order`,
    channel: (name) => `${own}:${name}`,
  };
}

/**
 * The queue in which jobs of a class wait that are of plans of a version. Workers of another version never see them: they could only
 * give them back.
 */
export function queueNameOf(className: string, version: number): string {
  return version === 1 ? className : `${className}.plan${version}`;
}

/** Id of the job of BullMQ that begins with a task. */
export function jobIdOf(run: { runId: string; epoch: number }, taskKey: string): string {
  return `${run.runId}.${run.epoch}.${taskKey}`;
}

/** Id of the root job of a run. */
export function rootIdOf(run: { runId: string; epoch: number }): string {
  return `${run.runId}.${run.epoch}`;
}

/** What a job id says; undefined when it is none of ours. A root job has no `taskKey`. */
export function parseJobId(id: string): { runId: string; epoch: number; taskKey: string | undefined } | undefined {
  const [runId, epoch, taskKey, more] = id.split('.');
  if (runId === undefined || epoch === undefined || more !== undefined || !/^\d+$/.test(epoch)) return undefined;
  return { runId, epoch: Number(epoch), taskKey };
}

/** BullMQ takes low numbers first and 0 before all; ours is higher first. */
export function bullPriority(priority: number): number {
  return 1_000_000 - priority;
}
