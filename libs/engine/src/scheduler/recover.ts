import {
  awaitsItsTime,
  listQueuedRuns,
  raiseLatticeEpoch,
  raiseRunEpoch,
  readWatermark,
  type StoredRun,
} from '@lattice/persistence';
import {
  appendRunEvent,
  confirmServer,
  deleteRun,
  forgetClasses,
  forgetEpoch,
  initialise,
  lookAt,
  readHead,
  removeAll,
  untilBeat,
  withLimit,
  type Instance,
} from '@lattice/queue';
import { setTimeout as pause } from 'node:timers/promises';
import { createdEvent } from '../run/created-event';
import { rebuildRun } from '../run/rebuild';
import type { Runtime } from '../runtime';

const LOOK_MS = 1_000;
/** While nobody may begin: at the start, and when Redis is back. */
const SOON_MS = 50;
const PAGE = 200;
const ANSWER_MS = 5_000;

/** Looks after the Redis that the platform believes in. One look a second; recovers when Redis was lost or is older than Postgres. */
export class RedisKeeper {
  constructor(
    private readonly runtime: Runtime,
    private readonly history: {
      /** Only the scheduler that writes history recovers; the others wait for it. */
      readonly holdsLock: boolean;
      /** Resolves when nothing is being written. */
      settled(): Promise<void>;
    },
  ) {}

  async turn(signal: AbortSignal): Promise<number> {
    const { queue, db } = this.runtime;
    // The watermark first: Redis is always ahead of a watermark that was read before it.
    const mark = await withLimit(readWatermark(db), ANSWER_MS, 'Postgres did not answer');
    const found = await withLimit(lookAt(queue, mark.streamId), ANSWER_MS, 'Redis did not answer');
    const current = found.epoch === String(mark.epoch) && found.has;
    if (this.history.holdsLock) {
      if (!current) await this.recover(found, signal);
      else if (found.confirmed !== found.server) await confirmServer(queue, found.server);
    }
    return (await withLimit(queue.trust.look(), ANSWER_MS, 'Redis did not answer')) ? untilBeat(LOOK_MS) : SOON_MS;
  }

  /**
   * Nobody may begin or record from here on; attempts that still run are told to stop and their lease is waited out; then
   * all that is in Redis goes, for it is in Postgres or contradicts it, and every active run is made again from Postgres,
   * under a new epoch that refuses the old attempts.
   */
  private async recover(found: Instance, signal: AbortSignal): Promise<void> {
    const { queue, db, log, settings } = this.runtime;
    const reason = found.epoch === undefined ? 'redis_lost' : 'redis_older';
    await forgetEpoch(queue);
    forgetClasses(queue);
    await this.history.settled();
    const waiting = await activeRuns(this.runtime);
    if (waiting.length > 0) {
      log.error(
        { reason, runs: waiting.length },
        'Redis does not hold what Postgres knows; active runs are made again',
      );
      await queue.bus.publish('control', JSON.stringify({ stopAll: true }));
      await pause(settings.lock, undefined, { signal });
    }
    await removeAll(queue);
    const { epoch } = await raiseLatticeEpoch(db, { lastStreamId: '0-0' });
    for (const run of await activeRuns(this.runtime)) await recoverRun(this.runtime, run, reason);
    await initialise(queue, String(epoch));
    // The server that was found: another one by now has to be looked at first.
    await confirmServer(queue, found.server);
    await queue.bus.publish('nudge', '');
  }
}

/**
 * Makes a run again under a new epoch, so that jobs and attempts of the old one are refused.
 */
export async function recoverRun(runtime: Runtime, run: StoredRun, reason: string): Promise<void> {
  const { queue } = runtime;
  const epoch = await raiseRunEpoch(runtime.db, run.runId);
  if (epoch === undefined) return;
  const head = await readHead(queue, run.runId);
  if (head !== undefined) await deleteRun(queue, { runId: run.runId, epoch: head.epoch });
  const json = JSON.stringify({ reason });
  // Of one that history has not heard of yet the beginning is told too.
  const fresh = run.status === 'pending';
  const event = fresh ? createdEvent(run) : ({ type: 'run.recovered', json } as const);
  // One that was paused before its time is in Redis already; it waits for that time all the same.
  await rebuildRun(runtime, { run, epoch, event, unsent: await awaitsItsTime(runtime.db, run.runId) });
  if (fresh) await appendRunEvent(queue, { type: 'run.recovered', runId: run.runId, epoch, json });
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
