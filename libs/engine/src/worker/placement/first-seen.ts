/** Since when the waiting jobs of a class are known to this worker, by its own monotonic clock. */
export class FirstSeen {
  private seen = new Map<string, number>();

  /** Notes the jobs that wait now, and forgets the others. Returns milliseconds until the first of them has waited for `wait`. */
  untilRipe(ids: readonly string[], wait: number, now: number): number {
    const next = new Map(ids.map((id) => [id, this.seen.get(id) ?? now]));
    this.seen = next;
    const [first] = ids;
    return first === undefined ? wait : Math.max(0, (next.get(first) ?? now) + wait - now);
  }
}
