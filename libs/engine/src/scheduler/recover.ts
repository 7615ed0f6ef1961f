import {
  compareStreamIds,
  listQueuedRuns,
  raiseLatticeEpoch,
  raiseRunEpoch,
  readWatermark,
  type StoredRun,
} from '@lattice/persistence';
import {
  deleteRun,
  forgetClasses,
  forgetEpoch,
  initialise,
  lastStreamId,
  readEpoch,
  readHead,
  withLimit,
} from '@lattice/queue';
import { setTimeout as pause } from 'node:timers/promises';
import { rebuildRun } from '../run/rebuild';
import type { Runtime } from '../runtime';

const LOOK_MS = 1_000;
/** At the start the lock of the historian comes a moment later. */
const START_MS = 25;
const PAGE = 200;
const ANSWER_MS = 5_000;

/** Looks after the Redis that the platform believes in. One look a second; recovers when Redis was lost or is older than Postgres. */
export class RedisKeeper {
  constructor(
    private readonly runtime: Runtime,
    /** Only the scheduler that writes history recovers; the others wait for it. */
    private readonly mayRecover: () => boolean,
  ) {}

  async turn(signal: AbortSignal): Promise<number> {
    const { queue, db } = this.runtime;
    // The watermark first: the stream is always ahead of a watermark that was read before it.
    const mark = await withLimit(readWatermark(db), ANSWER_MS, 'Postgres did not answer');
    const found = Promise.all([readEpoch(queue), lastStreamId(queue)]);
    const [epoch, last] = await withLimit(found, ANSWER_MS, 'Redis did not answer');
    const older = compareStreamIds(last, mark.streamId) < 0;
    if (epoch === String(mark.epoch) && !older) return LOOK_MS;
    if (!this.mayRecover()) return epoch === undefined ? START_MS : LOOK_MS;
    const reason = epoch === undefined ? 'redis_lost' : 'redis_older';
    await this.recover({ reason, last, older }, signal);
    return LOOK_MS;
  }

  /**
   * Nobody may begin or record from here on; attempts that still run are told to stop and their lease is waited out; then every
   * active run is made again from Postgres, under a new epoch that refuses the old jobs; then all go on.
   */
  private async recover(found: { reason: string; last: string; older: boolean }, signal: AbortSignal): Promise<void> {
    const { queue, db, log, settings } = this.runtime;
    const runs = await activeRuns(this.runtime);
    if (runs.length > 0)
      log.error(
        { reason: found.reason, runs: runs.length },
        'Redis does not hold what Postgres knows; active runs are made again',
      );
    await forgetEpoch(queue);
    forgetClasses(queue);
    const { epoch } = await raiseLatticeEpoch(db, found.older ? { lastStreamId: found.last } : {});
    if (runs.length > 0) {
      await queue.bus.publish('control', JSON.stringify({ stopAll: true }));
      await pause(settings.lock, undefined, { signal });
    }
    for (const run of runs) await recoverRun(this.runtime, run, found.reason);
    await initialise(queue, String(epoch));
    await queue.bus.publish('nudge', '');
  }
}

/** Makes a run again under a new epoch, so that jobs and attempts of the old one are refused. */
export async function recoverRun(runtime: Runtime, run: StoredRun, reason: string): Promise<void> {
  const epoch = await raiseRunEpoch(runtime.db, run.runId);
  if (epoch === undefined) return;
  const head = await readHead(runtime.queue, run.runId);
  if (head !== undefined) await deleteRun(runtime.queue, { runId: run.runId, epoch: head.epoch });
  await rebuildRun(runtime, { run, epoch, event: { type: 'run.recovered', json: JSON.stringify({ reason }) } });
}

/** Runs that were in Redis. */
async function activeRuns(runtime: Runtime): Promise<StoredRun[]> {
  const all: StoredRun[] = [];
  for (let after: string | undefined; ;) {
    const page = await listQueuedRuns(runtime.db, { after, limit: PAGE });
    all.push(...page);
    after = page.at(-1)?.runId;
    if (page.length < PAGE) return all;
  }
}
