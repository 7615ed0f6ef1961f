import { call, list } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/** When the attempt of a task that schedulers do was begun, and the time now: ms since 1970, by the clock of Redis. */
export interface StepTimes {
  readonly begunAt: number;
  readonly now: number;
}

/** Times of an attempt; undefined when it is over. */
export async function stepTimes(
  queue: QueueConnection,
  run: RunRef,
  { taskKey, attempt }: { taskKey: string; attempt: number },
): Promise<StepTimes | undefined> {
  const reply = await call(queue.redis, 'step', [queue.keys.run(run.runId)], [run.epoch, taskKey, attempt]);
  const [begunAt, now] = list(reply).map(Number);
  return begunAt === undefined || now === undefined ? undefined : { begunAt, now };
}

/** Notes that a task waits for a signal (`waits` tells for what), or with undefined that it does so no more. */
export async function markWaiting(
  queue: QueueConnection,
  run: RunRef,
  { taskKey, waits }: { taskKey: string; waits: Record<string, unknown> | undefined },
): Promise<void> {
  await call(
    queue.redis,
    'waiting',
    [queue.keys.run(run.runId), queue.keys.events],
    [run.runId, run.epoch, taskKey, waits === undefined ? 'close' : 'open', JSON.stringify(waits ?? {})],
  );
}
