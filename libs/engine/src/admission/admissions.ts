import { isFinalEvent } from '@lattice/contracts';
import {
  beginAdmissions,
  endAdmissions,
  insertAdmissions,
  tidyAdmissions,
  waitingLimiters,
  waitingRuns,
  type HistoryEntry,
  type NewAdmission,
  type OutboxRow,
} from '@lattice/persistence';
import type { Runtime } from '../runtime';
import { nudge } from '../submit/nudge';
import { limitersIn, obstacleOf } from './decide-admission';
import { limitersOfRun } from './limiters';
import { serveLimiters } from './serve-limiters';

/** What schedulers tell each other by: there are runs with limits. */
export const LIMITS_IN_USE = 'limits';

const SWEEP_MS = 1_000;
/** The longest pause between two sweeps, while nothing comes of them: what changes is told. */
const LONGEST_MS = 10_000;
/** Without runs that have limits it is looked for them so often. */
const IDLE_MS = 5_000;
/** A sweep takes at most this share of the time. */
const SHARE = 10;
const PAGE = 100;
const TELL_MS = 2_000;

interface Arrival {
  readonly run: NewAdmission;
  readonly resolve: (admitted: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets runs in whose workflow has limits, for one scheduler; any number of them may do so at once. What is decided is in Postgres
 * before it is done: which runs hold a place is counted from the runs that are active there, so that nothing that dies
 * keeps one. A run that has to wait leaves the outbox, and comes back there when its turn has come.
 */
export class Admissions {
  private readonly arrivals: Arrival[] = [];
  private readonly begun = new Set<string>();
  private readonly ended = new Set<string>();
  /** Rates that are used up, with the time at which they open. */
  private readonly opens = new Map<string, number>();
  private working = false;
  /** There may be runs with limits: their ends and starts are of interest. */
  private inUse = true;
  private nextSweep = 0;
  private pause = SWEEP_MS;
  private toldAt = 0;

  constructor(
    private readonly runtime: Runtime,
    /** Something is to be done before the pause of the loop is over. */
    private readonly wake: () => void,
  ) {}

  /** True when the run of an outbox row may start now; false when it waits, and needs its row no more. */
  async admit(row: OutboxRow): Promise<boolean> {
    const { run } = row;
    if (run === null || isAdmitted(row.payload)) return true;
    const compiled =
      row.document === null
        ? await this.runtime.plans.get(run.documentSha)
        : this.runtime.plans.of(run.documentSha, row.document);
    const limiters = limitersOfRun(compiled.workflow, run);
    const [first] = limiters === undefined ? [] : limitersIn(limiters);
    if (limiters === undefined || first === undefined) return true;
    const { concurrency } = limiters;
    const waits = concurrency === undefined ? undefined : { ...concurrency, policy: policyHere(concurrency.policy) };
    return new Promise((resolve, reject) => {
      this.arrivals.push({
        run: {
          runId: run.runId,
          epoch: run.epoch,
          kind: row.kind,
          payload: row.payload,
          priority: run.priority,
          limiters: { ...limiters, concurrency: waits },
          waitingOn: obstacleOf(first),
        },
        resolve,
        reject,
      });
      void this.work();
    });
  }

  /** Events that are in Postgres: what ended, and what began, may make room. */
  wrote(batch: readonly HistoryEntry[]): void {
    if (!this.inUse) return;
    for (const { type, runId, attempt } of batch) {
      if (type === 'task.started' && attempt === 1) this.begun.add(runId);
      else if (isFinalEvent(type)) this.ended.add(runId);
    }
    if (this.begun.size + this.ended.size > 0) void this.work();
  }

  /** Another scheduler has runs with limits, or something may have been missed. */
  expect(): void {
    this.inUse = true;
    this.sweepSoon();
    this.wake();
  }

  private sweepSoon(): void {
    this.pause = SWEEP_MS;
    this.nextSweep = Math.min(this.nextSweep, Date.now() + SWEEP_MS);
  }

  /** Serves rates that have opened, and as a net all limiters that runs wait for. Returns milliseconds until the next turn. */
  async turn(): Promise<number> {
    const now = Date.now();
    const open = [...this.opens].filter(([, at]) => at <= now).map(([name]) => name);
    for (const name of open) this.opens.delete(name);
    if (open.length > 0) await this.serve(open);
    if (Date.now() >= this.nextSweep) await this.sweep();
    return Math.max(1, Math.min(this.nextSweep, ...this.opens.values()) - Date.now());
  }

  private async sweep(): Promise<void> {
    const started = Date.now();
    this.inUse = await tidyAdmissions(this.runtime.db);
    let changed = false;
    if (this.inUse) {
      for (let after = ''; ;) {
        const names = await waitingLimiters(this.runtime.db, after, PAGE);
        if (names.length > 0 && (await this.serve(names))) changed = true;
        after = names.at(-1) ?? '';
        if (names.length < PAGE) break;
      }
    }
    const took = Date.now() - started;
    this.pause = changed ? SWEEP_MS : Math.min(this.pause * 2, LONGEST_MS);
    this.nextSweep = Date.now() + (this.inUse ? Math.max(this.pause, took * SHARE) : IDLE_MS);
  }

  /** One thing at a time: what comes meanwhile is done together in the next round. */
  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      // The rows of one claim come in one turn of the event loop or a few.
      await new Promise(setImmediate);
      while (this.arrivals.length + this.begun.size + this.ended.size > 0) {
        await this.serveEvents();
        await this.serveArrivals(this.arrivals.splice(0));
      }
    } finally {
      this.working = false;
    }
  }

  private async serveEvents(): Promise<void> {
    const begun = takeAll(this.begun);
    const ended = takeAll(this.ended);
    if (begun.length + ended.length === 0) return;
    const { db, log } = this.runtime;
    try {
      const freed = begun.length === 0 ? [] : await beginAdmissions(db, begun);
      if (ended.length > 0) freed.push(...(await endAdmissions(db, ended)));
      await this.serve(freed);
    } catch (error) {
      log.warn({ err: error }, 'runs that wait for others were not let in; the sweep does it');
      this.expect();
    }
  }

  private async serveArrivals(arrivals: readonly Arrival[]): Promise<void> {
    if (arrivals.length === 0) return;
    this.tell();
    const { db } = this.runtime;
    try {
      const runs = arrivals.map(({ run }) => run);
      const ids = runs.map(({ runId }) => runId);
      await insertAdmissions(db, runs);
      await this.serve(
        runs.flatMap(({ limiters }) => limitersIn(limiters).map(({ name }) => name)),
        new Set(ids),
      );
      const waiting = await waitingRuns(db, ids);
      for (const { run, resolve } of arrivals) resolve(!waiting.has(run.runId));
    } catch (error) {
      for (const { reject } of arrivals) reject(error);
    }
  }

  /** True when it let in a run. */
  private async serve(limiters: readonly string[], own?: ReadonlySet<string>): Promise<boolean> {
    if (limiters.length === 0) return false;
    const { admitted, opens } = await serveLimiters(this.runtime, limiters, own);
    for (const [name, ms] of opens) this.opens.set(name, Date.now() + ms);
    if (opens.size > 0) this.wake();
    if ([...admitted].some((runId) => own?.has(runId) !== true)) nudge(this.runtime);
    return admitted.size > 0;
  }

  /** The scheduler that writes history must know that ends are of interest. */
  private tell(): void {
    this.inUse = true;
    this.sweepSoon();
    const now = Date.now();
    if (now - this.toldAt < TELL_MS) return;
    this.toldAt = now;
    this.runtime.queue.bus
      .publish('nudge', LIMITS_IN_USE)
      .catch((error: unknown) => this.runtime.log.debug({ err: error }, 'other schedulers were not told of limits'));
  }
}

function takeAll(set: Set<string>): string[] {
  const all = [...set];
  set.clear();
  return all;
}

function isAdmitted(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'admitted' in payload && payload.admitted === true;
}

/** A run that reached a scheduler without a place of its own (a rerun) can't be refused any more: it waits. */
function policyHere(policy: 'queue' | 'cancel-running' | 'reject'): 'queue' | 'cancel-running' {
  return policy === 'cancel-running' ? policy : 'queue';
}
