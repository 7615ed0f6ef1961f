/** So many runs are remembered at most; of others Postgres is asked. */
const MOST = 10_000;

/**
 * Runs that were stored while every event came over the bus, and whose end has not come yet: of those nobody need ask Postgres
 * whether they have ended. Whatever interrupts the bus empties it.
 */
export class Ongoing {
  private readonly runs = new Set<string>();

  /** To be called after the run was stored, and before it can end. */
  add(runId: string): void {
    this.runs.add(runId);
    if (this.runs.size <= MOST) return;
    const [oldest] = this.runs;
    if (oldest !== undefined) this.runs.delete(oldest);
  }

  has(runId: string): boolean {
    return this.runs.has(runId);
  }

  ended(runId: string): void {
    this.runs.delete(runId);
  }

  clear(): void {
    this.runs.clear();
  }
}
