import { isFinalRun } from '@lattice/contracts';
import { getRunState, unsentRuns } from '@lattice/persistence';
import { deleteRun, readHead, runIds } from '@lattice/queue';
import type { Runtime } from '../runtime';
import type { EndedRun } from './write-history';

const BATCH = 50;
const FIRST_TRY_MS = 50;
const LONGEST_MS = 10_000;

interface Waiting extends EndedRun {
  readonly due: number;
  readonly tries: number;
}

/**
 * Takes runs that are final in Postgres out of Redis: their jobs, then the run hash. A job that is still to be acknowledged
 * holds its run back; it is tried again later.
 */
export class RunClearer {
  private readonly waiting = new Map<string, Waiting>();

  constructor(private readonly runtime: Runtime) {}

  add(runs: readonly EndedRun[]): void {
    const due = Date.now() + FIRST_TRY_MS;
    for (const run of runs) this.waiting.set(run.runId, { ...run, due, tries: 0 });
  }

  /** Finds runs that ended while nobody was told. For the start of a scheduler. */
  async find(): Promise<EndedRun[]> {
    const found: EndedRun[] = [];
    for await (const runId of runIds(this.runtime.queue)) {
      const [head, state] = await Promise.all([
        readHead(this.runtime.queue, runId),
        getRunState(this.runtime.db, runId),
      ]);
      if (head === undefined || (state !== undefined && !isFinalRun(state.status))) continue;
      found.push({ runId, epoch: head.epoch, parent: head.parent });
    }
    return found;
  }

  /** Clears those that are due. Returns milliseconds until the next turn. */
  async turn(): Promise<number> {
    const now = Date.now();
    const due = [...this.waiting.values()].filter((run) => run.due <= now).slice(0, BATCH);
    // A run that will be sent once more must find its hash: made afresh it would run again.
    const unsent = await unsentRuns(
      this.runtime.db,
      due.map(({ runId }) => runId),
    );
    for (const run of due) if (unsent.has(run.runId)) this.later(run);
    await Promise.all(due.filter(({ runId }) => !unsent.has(runId)).map((run) => this.clear(run)));
    if (due.length === BATCH) return 0;
    const next = Math.min(...[...this.waiting.values()].map((run) => run.due));
    return Number.isFinite(next) ? Math.min(Math.max(next - Date.now(), 10), 1_000) : 1_000;
  }

  private async clear(run: Waiting): Promise<void> {
    const head = await readHead(this.runtime.queue, run.runId);
    // A rerun has opened it again: the run is its own from here on.
    if (head === undefined || head.epoch !== run.epoch) {
      this.waiting.delete(run.runId);
      return;
    }
    const { plan } = await this.runtime.plans.get(head.sha);
    if (await this.runtime.flows.removeRun(run, plan)) {
      await deleteRun(this.runtime.queue, run);
      this.waiting.delete(run.runId);
      return;
    }
    this.later(run);
  }

  private later(run: Waiting): void {
    const tries = run.tries + 1;
    this.waiting.set(run.runId, { ...run, tries, due: Date.now() + Math.min(FIRST_TRY_MS * 2 ** tries, LONGEST_MS) });
  }
}
