import { awaitsSending, listActiveRuns, type StoredRun } from '@lattice/persistence';
import {
  readEpoch,
  readGates,
  readHead,
  readProgress,
  serverTime,
  untilBeat,
  type FlowRun,
  type RunHead,
} from '@lattice/queue';
import { finaliseIfDone } from '../run/finalise';
import type { Compiled } from '../run/plans';
import { addSegments } from '../run/add-segments';
import { firstSegments, release } from '../run/release';
import { settleRun } from '../run/stop';
import type { Runtime } from '../runtime';
import { hasLostJob } from './lost-jobs';
import { recoverRun } from './recover';
import { stopOrphans } from './stop-orphans';

const PAGE = 200;
/** So much is asked of Redis at once. */
const TOGETHER = 50;
const PAUSE_MS = 1_000;
/** Finding the runs takes at most this share of the time, also past thousands that wait for a limit. */
const SHARE = 20;
/** With no active run there is time until one could have been quiet for long. */
const NOTHING_MS = 5_000;
/** A run that nobody changed for so long is looked at. */
const QUIET_MS = 5_000;
/** An active run that is not in Redis for so long was lost. */
const LOST_MS = 10_000;
/** The longest pause between two looks at a run that does not change. */
const LONGEST_MS = 300_000;
/** So many runs are remembered; those that fall out are looked at sooner. */
const MOST_LOOKS = 10_000;

/**
 * Goes through the active runs, page by page, and mends those that nobody has touched for a while: adds what is open and was
 * never begun, goes on stopping what is to be stopped, ends what is done. All of it may be done twice.
 */
export class Reconciler {
  private after: string | undefined;

  private readonly missingSince = new Map<string, number>();
  private readonly looks = new Map<string, { changedAt: number; pause: number; next: number }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly on: {
      mayRecover: () => boolean;
      /** The run goes on in another epoch; jobs of the one named may be left. */
      madeAgain: (run: StoredRun) => void;
      /** The run goes by an older plan. */
      older: (runId: string) => void;
    },
  ) {}

  async turn(): Promise<number> {
    const started = performance.now();
    const page = await listActiveRuns(this.runtime.db, { after: this.after, limit: PAGE });
    const took = performance.now() - started;
    this.after = page.length < PAGE ? undefined : page.at(-1)?.runId;
    await stopOrphans(this.runtime, page);
    const now = await serverTime(this.runtime.queue);
    const heads: (RunHead | undefined)[] = [];
    for (let from = 0; from < page.length; from += TOGETHER) {
      const some = page.slice(from, from + TOGETHER);
      heads.push(...(await Promise.all(some.map(({ runId }) => readHead(this.runtime.queue, runId)))));
    }
    for (const [index, stored] of page.entries()) {
      const head = heads[index];
      if (head === undefined) {
        await this.missing(stored);
        continue;
      }
      this.missingSince.delete(stored.runId);
      if (head.moved || this.runtime.pin.standingOf(head.version) === 'older') this.on.older(stored.runId);
      if (now - head.changedAt > QUIET_MS && this.isTime(stored.runId, head)) await this.mend(stored);
    }
    return untilBeat(page.length === 0 ? NOTHING_MS : Math.max(PAUSE_MS, took * SHARE));
  }

  /** A run that stays as it was is looked at ever more rarely: most quiet runs only wait for a worker. */
  private isTime(runId: string, { changedAt, state }: RunHead): boolean {
    const known = this.looks.get(runId);
    const look = known?.changedAt === changedAt ? known : { changedAt, pause: QUIET_MS, next: 0 };
    if (look.next > Date.now()) return false;
    // The word to stop may have been missed: that is said again soon.
    const pause = state === 'running' ? Math.min(look.pause * 2, LONGEST_MS) : QUIET_MS;
    this.looks.delete(runId);
    this.looks.set(runId, { changedAt, pause, next: Date.now() + look.pause });
    const oldest = this.looks.keys().next();
    if (this.looks.size > MOST_LOOKS && !oldest.done) this.looks.delete(oldest.value);
    return true;
  }

  /** A run that can't be mended must not keep the others from it. */
  private async mend(stored: StoredRun): Promise<void> {
    const { runId } = stored;
    try {
      // Of those that were read together it is the last one's turn only now.
      const head = await readHead(this.runtime.queue, runId);
      if (head === undefined) return;
      await reconcileRun(this.runtime, runId, head);
      await this.findLost(stored, head);
    } catch (error) {
      this.runtime.log.error({ err: error, runId }, 'a quiet run could not be mended; it is tried again');
    }
  }

  /** A run with a task that nobody will go on with is made again: the task has another attempt then. */
  private async findLost(stored: StoredRun, head: RunHead): Promise<void> {
    const { runId } = stored;
    if (head.state !== 'running' || !this.runtime.pin.holds(head.version) || !this.on.mayRecover()) return;
    const compiled = await this.runtime.plans.get(head.sha);
    if (!(await hasLostJob(this.runtime, { runId, epoch: head.epoch }, compiled))) return;
    this.runtime.log.error({ runId }, 'a job of an active run is gone; the run is made again');
    await recoverRun(this.runtime, stored, 'job_lost');
    this.on.madeAgain(stored);
  }

  /**
   * A run that is new or opened again waits for its outbox row, however long that takes. One that is missing for long was lost
   * by itself (a key was deleted, or Redis as a whole just when the run was sent): it is made again.
   */
  private async missing(stored: StoredRun): Promise<void> {
    const { runId } = stored;
    const { queue, db } = this.runtime;
    const since = this.missingSince.get(runId) ?? Date.now();
    this.missingSince.set(runId, since);
    if (Date.now() - since < LOST_MS || !this.on.mayRecover()) return;
    // While all of Redis is made again, and while it waits to be sent, nothing can be said of a run.
    if ((await readEpoch(queue)) === undefined || (await awaitsSending(db, runId))) {
      this.missingSince.set(runId, Date.now());
      return;
    }
    await this.runtime.race?.('before-made-again', { runId });
    // The page was read together: it may have been sent since, or made again with all others.
    if ((await readHead(queue, runId)) !== undefined) return;
    this.runtime.log.error({ runId }, 'an active run is not in Redis; it is made again');
    this.missingSince.delete(runId);
    await recoverRun(this.runtime, stored, 'run_lost');
    this.on.madeAgain(stored);
  }
}

/** Mends one run. */
export async function reconcileRun(runtime: Runtime, runId: string, head: RunHead): Promise<void> {
  switch (head.state) {
    case 'final':
    case 'paused':
      return;
    case 'cancelling':
    case 'failing':
      // The word to stop may have been missed.
      await runtime.queue.bus.publish('control', JSON.stringify({ stop: runId }));
      await settleRun(runtime, runId);
      return;
    default: {
      // Gates of another version are not ours to count; one that is being moved is looked after by whoever moves it.
      if (!runtime.pin.holds(head.version) || head.moved) return;
      const compiled = await runtime.plans.get(head.sha);
      const run: FlowRun = { runId, epoch: head.epoch, priority: head.priority, sha: head.sha };
      await releaseForgotten(runtime, run, compiled, head);
      if (head.left === 0) await finaliseIfDone(runtime, runId);
    }
  }
}

/** Adds segments that are open, of which no task has begun, and whose jobs are not there. Most quiet runs only wait for a worker. */
async function releaseForgotten(runtime: Runtime, run: FlowRun, compiled: Compiled, head: RunHead): Promise<void> {
  const { plan } = compiled;
  const counts = await readGates(runtime.queue, run.runId, [...plan.gates.keys()]);
  const open = plan.gates.flatMap((gate, index) => ((counts[index] ?? 0) >= gate.after.length ? [index] : []));
  const candidates = plan.segments.flatMap(({ gate, ready }, index) =>
    gate === null || open.includes(gate) ? [{ index, gate, first: ready[0] ?? '' }] : [],
  );
  const progress = await readProgress(
    runtime.queue,
    run.runId,
    candidates.map(({ first }) => first),
  );
  // Attempts that are over may be of before a rerun, or wait for their delay: of these the job is there.
  const idle = await withoutJob(
    runtime,
    { run, compiled },
    candidates.filter((_, index) => progress[index]?.ended === false && progress[index].live === ''),
  );
  // One that was paused before its time is in Redis already, and comes up when its row is sent.
  if (idle.length === 0 || (await awaitsSending(runtime.db, run.runId))) return;
  const forgotten = new Set(idle.map(({ index }) => index));
  const first = await firstSegments(runtime, run, compiled, (segment) => !forgotten.has(segment));
  if (first.segments.length > 0) await addSegments(runtime, run, compiled, first.segments);
  const gates = [...first.gates, ...idle.flatMap(({ gate }) => (gate === null ? [] : [gate]))];
  // Something may have ended otherwise since the head was read: it is asked for.
  if (gates.length > 0) await release(runtime, { run, compiled, gates, others: Math.max(1, head.others) });
}

/** Those whose job is not in its queue. */
async function withoutJob<T extends { readonly first: string }>(
  runtime: Runtime,
  { run, compiled }: { run: FlowRun; compiled: Compiled },
  candidates: readonly T[],
): Promise<T[]> {
  const missing: T[] = [];
  for (let at = 0; at < candidates.length; at += TOGETHER) {
    const some = candidates.slice(at, at + TOGETHER);
    const held = await Promise.all(
      some.map(async ({ first }) => {
        const job = compiled.jobs.get(first)?.job;
        return job !== undefined && runtime.flows.holdsJob(run, job);
      }),
    );
    missing.push(...some.filter((_, index) => held[index] !== true));
  }
  return missing;
}
