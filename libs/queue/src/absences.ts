/** Whoever uses a class announces it again within half a minute, also when Redis lost it. */
const LONG_MS = 120_000;

/** Which of the classes that a process serves are announced no more, and were not for long: of a Redis that was emptied all come back. */
export class Absences {
  private readonly since = new Map<string, number>();

  constructor(private readonly longMs = LONG_MS) {}

  /** Those of `served` that were missing in each look for so long. */
  look(served: Iterable<string>, announced: ReadonlySet<string>, now = performance.now()): string[] {
    const long: string[] = [];
    for (const name of served) {
      if (announced.has(name)) {
        this.since.delete(name);
        continue;
      }
      const since = this.since.get(name) ?? now;
      this.since.set(name, since);
      if (now - since >= this.longMs) long.push(name);
    }
    return long;
  }

  /** It is served no more. */
  forget(name: string): void {
    this.since.delete(name);
  }
}
