import { deleteUnusedDocuments, expireRuns, type Expiry } from '@lattice/persistence';
import type { Runtime } from '../runtime';

/** The longest pause between two walks through the runs. */
const LONGEST_MS = 600_000;
const NEVER_MS = 3_600_000;
/** Between two steps of a walk, so that it takes a small share of Postgres. */
const STEP_MS = 100;
/** A scheduler that is not the one that deletes asks so often whether it is. */
const STANDBY_MS = 10_000;

/** What a walk goes through: runs, and then the documents that were those of runs. */
type Place = { readonly of: 'runs' | 'documents'; readonly after: string | undefined };
const START: Place = { of: 'runs', after: undefined };

/**
 * Deletes runs that have ended for longer than the settings keep them, walking from the oldest to the newest, and documents that
 * nothing refers to any more, again and again.
 */
export class RunExpiry {
  private at = START;
  private deleted = { runs: 0, documents: 0 };

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
    const { db, log } = this.runtime;
    const { of, after } = this.at;
    const { deleted, next } =
      of === 'runs' ? await expireRuns(db, expiryOf(retention), after) : await deleteUnusedDocuments(db, after);
    this.deleted[of] += deleted;
    this.at = { of, after: next };
    if (next !== undefined) return STEP_MS;
    if (of === 'runs') {
      this.at = { of: 'documents', after: undefined };
      return STEP_MS;
    }
    if (this.deleted.runs + this.deleted.documents > 0)
      log.info(this.deleted, 'runs were deleted: their time was over');
    this.deleted = { runs: 0, documents: 0 };
    this.at = START;
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
