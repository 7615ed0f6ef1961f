/** Jobs that are taken in one go at most. */
const LONGEST = 16;

/**
 * How many jobs of a class are taken in one go. One, until two were found one after the other; then twice as many as the last time, while there were
 * that many. So a wave of jobs is not taken one answer of Redis at a time, and a single job costs no look that finds nothing.
 */
export class Rows {
  /** The next row by class; 0 after a look that found too few. */
  private readonly next = new Map<string, number>();

  /** The row of a class. Where another class may have jobs, too, it might be its turn after each. */
  of(className: string, hungry: Iterable<string>): number {
    for (const other of hungry) if (other !== className) return 1;
    return Math.max(1, this.next.get(className) ?? 0);
  }

  /** So many jobs were asked for, and all of them were there, or not. */
  looked(className: string, { asked, all }: { asked: number; all: boolean }): void {
    const before = this.next.get(className) ?? 0;
    this.next.set(className, all ? Math.min(before === 0 ? 1 : 2 * asked, LONGEST) : 0);
  }

  forget(className: string): void {
    this.next.delete(className);
  }
}
