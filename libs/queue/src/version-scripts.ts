import { call, list } from './call-script';
import type { QueueConnection } from './connection';
import type { RunRef } from './run-ref';

/** Holds up a run of an older version. False when it is not one any more, or is being stopped. */
export async function freezeRun(queue: QueueConnection, run: RunRef, version: number): Promise<boolean> {
  return (await call(queue.redis, 'freeze', [queue.keys.run(run.runId)], [run.epoch, version])) === 'ok';
}

/** Moves a run that is held up to a version, and into the next epoch. False when it has changed since the counts were made. */
export async function upgradeRun(
  queue: QueueConnection,
  run: RunRef,
  options: {
    version: number;
    /** Tasks that had not ended when the counts were made. */
    left: number;
    /** Data of run.recovered. */
    eventJson: string;
    /** How many tasks of each gate have ended. */
    counts: readonly number[];
  },
): Promise<boolean> {
  const { version, left, eventJson, counts } = options;
  const keys = [queue.keys.run(run.runId), queue.keys.events];
  return (
    (await call(queue.redis, 'upgrade', keys, [run.runId, run.epoch, version, left, eventJson, ...counts])) === 'ok'
  );
}

/** Notes that what is open of a run that was moved is in the queues. */
export async function markMoved(queue: QueueConnection, run: RunRef): Promise<void> {
  await call(queue.redis, 'moved', [queue.keys.run(run.runId)], [run.epoch]);
}

/** Versions of runs as their hashes have them; undefined where there is no hash. One round trip. */
export async function readVersions(
  queue: QueueConnection,
  runIds: readonly string[],
): Promise<({ version: number; moved: boolean } | undefined)[]> {
  const pipeline = queue.redis.pipeline();
  for (const runId of runIds) pipeline.hmget(queue.keys.run(runId), 'ep', 'v', 'up');
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, values]) => {
    if (error !== null) throw error;
    const [epoch, version, moved] = list(values);
    return typeof epoch === 'string' ? { version: Number(version ?? 0), moved: typeof moved === 'string' } : undefined;
  });
}
