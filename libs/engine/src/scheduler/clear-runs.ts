import { isFinalRun } from '@lattice/contracts';
import { getRunState, tidyOutbox } from '@lattice/persistence';
import { deleteRun, readHead, runIds, type RunHead } from '@lattice/queue';
import type { Runtime } from '../runtime';
import type { EndedRun } from './write-history';

const BATCH = 50;
const FIRST_TRY_MS = 100;
/** Runs are cleared together with those that end in so many milliseconds. */
const TOGETHER_MS = 50;
const LONGEST_MS = 10_000;

interface Waiting extends EndedRun {
  /** Of an epoch that is over, while the run goes on in another: only the jobs are to go. */
  readonly jobsOnly?: boolean;
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
    for (const run of runs) this.waiting.set(nameOf(run), { ...run, due, tries: 0 });
  }

  /** The jobs of an epoch that is over; the run itself was made again. */
  addJobs({ runId, epoch }: { runId: string; epoch: number }): void {
    const due = Date.now() + FIRST_TRY_MS;
    this.waiting.set(nameOf({ runId, epoch }), { runId, epoch, parent: '', jobsOnly: true, due, tries: 0 });
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
    const { due, next } = this.look(now);
    if (due.length === 0) return Math.min(Math.max(next - now, TOGETHER_MS), 1_000);
    // A run that will be sent once more must find its hash: made afresh it would run again.
    const unsent = await tidyOutbox(
      this.runtime.db,
      due.map(({ runId }) => runId),
    );
    for (const run of due) if (unsent.has(run.runId)) this.later(run);
    await Promise.all(due.filter(({ runId }) => !unsent.has(runId)).map((run) => this.clear(run)));
    if (due.length === BATCH) return 0;
    return Math.min(Math.max(next - Date.now(), TOGETHER_MS), 1_000);
  }

  /** A batch of those that are due, and when the next of the others is; looks no further than it must. */
  private look(now: number): { due: Waiting[]; next: number } {
    const due: Waiting[] = [];
    let next = now + LONGEST_MS;
    for (const run of this.waiting.values()) {
      if (run.due > now) next = Math.min(next, run.due);
      else due.push(run);
      if (due.length === BATCH) break;
    }
    return { due, next };
  }

  private async clear(run: Waiting): Promise<void> {
    if (run.jobsOnly === true) {
      if (await this.runtime.flows.removeJobs(run)) this.waiting.delete(nameOf(run));
      else this.later(run);
      return;
    }
    const head = await readHead(this.runtime.queue, run.runId);
    // A rerun has opened it again: the run is its own from here on.
    if (head === undefined || head.epoch !== run.epoch) {
      this.waiting.delete(nameOf(run));
      return;
    }
    if (await this.removeJobs(run, head)) {
      await deleteRun(this.runtime.queue, run);
      this.waiting.delete(nameOf(run));
      return;
    }
    this.later(run);
  }

  private async removeJobs(run: Waiting, head: RunHead): Promise<boolean> {
    const { flows, plans, pin } = this.runtime;
    if (!pin.holds(head.version)) return flows.removeJobs(run);
    return flows.removeRun(run, (await plans.get(head.sha)).plan);
  }

  private later(run: Waiting): void {
    const tries = run.tries + 1;
    this.waiting.set(nameOf(run), { ...run, tries, due: Date.now() + Math.min(FIRST_TRY_MS * 2 ** tries, LONGEST_MS) });
  }
}

function nameOf({ runId, epoch }: Pick<EndedRun, 'runId' | 'epoch'>): string {
  return `${runId}.${epoch}`;
}
