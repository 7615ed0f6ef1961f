import { call, list } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/**
 * What became of a run that was to be cancelled. final: it has ended. live: attempts of it are told to stop. failing: it was failing
 * already. gone: it is not in Redis in this epoch.
 */
export type Stopped = 'final' | 'live' | 'failing' | 'gone';

/** Tasks that one script goes through at most: it must not run for long. */
const MOST_TASKS = 500;

/** How many runs of a document one call of {@link stopAll} may take; 0 when one alone has too many tasks. */
export function stoppedAtOnce(tasks: number): number {
  return tasks > MOST_TASKS ? 0 : Math.max(1, Math.floor(MOST_TASKS / (tasks + 4)));
}

/** Cancels runs of one document, in one step, and ends those of which nothing is live. Throws when Redis lost its data. */
export async function stopAll(
  queue: QueueConnection,
  runs: readonly RunRef[],
  options: {
    reason: string;
    taskKeys: readonly string[];
    /** Those of the tasks that hold no worker and start nothing while they wait. */
    waits: ReadonlySet<string>;
  },
): Promise<Stopped[]> {
  const { keys } = queue;
  const { reason, taskKeys, waits } = options;
  const waiting = taskKeys.filter((key) => waits.has(key));
  const others = taskKeys.filter((key) => !waits.has(key));
  const reply = await call(
    queue.redis,
    'stop-all',
    [keys.events, keys.epoch, keys.channel('control'), ...runs.map(({ runId }) => keys.run(runId))],
    [
      reason,
      taskKeys.length,
      waiting.length,
      ...waiting,
      ...others,
      ...runs.flatMap(({ runId, epoch }) => [runId, epoch]),
    ],
  );
  if (reply === 'uninitialised') throw new Error('Redis is not initialised: runs are cancelled when it is.');
  return list(reply).map(stoppedOf);
}

function stoppedOf(reply: unknown): Stopped {
  switch (reply) {
    case 'final':
    case 'live':
    case 'failing':
    case 'gone':
      return reply;
    default:
      throw new TypeError(`stop-all replied ${JSON.stringify(reply)}`);
  }
}
