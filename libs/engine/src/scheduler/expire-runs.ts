import { expireRuns, type Expiry } from '@lattice/persistence';
import type { Runtime } from '../runtime';

/** The longest pause between two walks through the runs. */
const LONGEST_MS = 600_000;
const NEVER_MS = 3_600_000;
/** Between two steps of a walk, so that it takes a small share of Postgres. */
const STEP_MS = 100;
/** A scheduler that is not the one that deletes asks so often whether it is. */
const STANDBY_MS = 10_000;

/** Deletes runs that have ended for longer than the settings keep them, walking from the oldest to the newest, again and again. */
export class RunExpiry {
  private after: string | undefined;
  private deleted = 0;

  constructor(
    private readonly runtime: Runtime,
    /** One scheduler deletes; any would do. */
    private readonly mayDelete: () => boolean,
  ) {}

  /** One step of a walk. Returns milliseconds until the next. */
  async turn(): Promise<number> {
    const { retention } = this.runtime.settings;
    const kept = [retention.completed, retention.failed, retention.cancelled].filter((ms) => ms !== undefined);
    if (kept.length === 0) return NEVER_MS;
    const pause = Math.min(LONGEST_MS, ...kept);
    if (!this.mayDelete()) return Math.min(STANDBY_MS, pause);
    const { deleted, next } = await expireRuns(this.runtime.db, expiryOf(retention), this.after);
    this.deleted += deleted;
    this.after = next;
    if (next !== undefined) return STEP_MS;
    if (this.deleted > 0) this.runtime.log.info({ runs: this.deleted }, 'runs were deleted: their time was over');
    this.deleted = 0;
    return pause;
  }
}

function expiryOf(retention: Runtime['settings']['retention']): Expiry {
  const before = (ms: number | undefined): Date | undefined =>
    ms === undefined ? undefined : new Date(Date.now() - ms);
  return {
    completed: before(retention.completed),
    failed: before(retention.failed),
    cancelled: before(retention.cancelled),
  };
}
