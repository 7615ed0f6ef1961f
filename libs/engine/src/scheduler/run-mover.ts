import { awaitsSending, listActiveRuns } from '@lattice/persistence';
import { readVersions, untilBeat, type FlowRun } from '@lattice/queue';
import { moveRuns } from '../run/move-runs';
import type { Runtime } from '../runtime';

const PAGE = 200;
/** Runs that are moved at the same time. */
const BATCH = 20;
/** One that is still worked on is looked at again after so long; each time after twice as long, up to the most. */
const FIRST_MS = 250;
const MOST_MS = 4_000;
const IDLE_MS = 5_000;

/**
 * Moves runs of older versions to the version of this scheduler: all that it finds at its start, and those that it is told of. A
 * run that is worked on is tried again until it can be moved.
 */
export class RunMover {
  private readonly waiting = new Map<string, { tries: number; due: number }>();
  private looked = false;
  /** Versions of plans of which runs were met. What workers of them have lost is theirs no more to find. */
  readonly older = new Set<number>();

  constructor(
    private readonly runtime: Runtime,
    /** The run goes on in another epoch; jobs of the one named may be left. */
    private readonly moved: (run: FlowRun) => void,
  ) {}

  /** A run that may be older was met. `wake`: is called when it was not known of. */
  add(runId: string, wake?: () => void): void {
    if (this.waiting.has(runId)) return;
    this.waiting.set(runId, { tries: 0, due: 0 });
    wake?.();
  }

  async turn(): Promise<number> {
    if (!this.looked) await this.look();
    this.looked = true;
    const now = Date.now();
    const due = [...this.waiting].flatMap(([runId, entry]) => (entry.due <= now ? [runId] : []));
    for (let at = 0; at < due.length; at += BATCH) await this.move(due.slice(at, at + BATCH));
    return this.waiting.size > 0 ? FIRST_MS : untilBeat(IDLE_MS);
  }

  private async move(runIds: readonly string[]): Promise<void> {
    // One that was stopped before its time has no jobs yet: its own row moves it.
    const awaiting = await Promise.all(runIds.map((runId) => awaitsSending(this.runtime.db, runId)));
    const ready = runIds.filter((_, index) => awaiting[index] === false);
    const { moved, waiting, versions } = await moveRuns(this.runtime, ready);
    for (const version of versions) this.older.add(version);
    for (const runId of runIds) if (!waiting.includes(runId)) this.waiting.delete(runId);
    for (const runId of waiting) {
      const tries = (this.waiting.get(runId)?.tries ?? 0) + 1;
      this.waiting.set(runId, { tries, due: Date.now() + Math.min(MOST_MS, FIRST_MS * 2 ** tries) });
    }
    for (const run of moved) this.moved(run);
  }

  /** Walks through all active runs. */
  private async look(): Promise<void> {
    const { db, queue, pin } = this.runtime;
    for (let after: string | undefined; ;) {
      const page = await listActiveRuns(db, { after, limit: PAGE });
      const versions = await readVersions(
        queue,
        page.map(({ runId }) => runId),
      );
      for (const [index, { runId }] of page.entries()) {
        const found = versions[index];
        if (found === undefined) continue;
        const standing = pin.standingOf(found.version);
        if (standing === 'newer') pin.tell(runId, found.version);
        else if (standing === 'older' || found.moved) this.add(runId);
      }
      after = page.at(-1)?.runId;
      if (page.length < PAGE) return;
    }
  }
}
