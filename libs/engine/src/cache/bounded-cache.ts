/** Limits of a {@link BoundedCache}. */
export interface CacheLimits {
  /** Entries it may hold. */
  entries: number;
  /** Sum of the weights it may hold; an entry heavier than this is not kept at all. */
  weight?: number;
  /** Milliseconds for which an entry that was used is not given up for its weight: what is in use would only be made again. Default 0. */
  spared?: number;
  /** Milliseconds an entry stays good after it was put in; for ever when absent. */
  ttl?: number;
}

interface Entry<V> {
  value: V;
  weight: number;
  expires: number;
  used: number;
}

/** A map that forgets the entry used longest ago when it is full, and entries older than the limit. */
export class BoundedCache<K, V> {
  private readonly entries = new Map<K, Entry<V>>();
  private weight = 0;

  constructor(
    private readonly limits: CacheLimits,
    private readonly now: () => number = Date.now,
  ) {}

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expires <= this.now()) {
      this.delete(key);
      return undefined;
    }
    // A Map keeps the order of insertion: what is used moves to the young end.
    this.entries.delete(key);
    this.entries.set(key, entry);
    entry.used = this.now();
    return entry.value;
  }

  set(key: K, value: V, weight = 1): void {
    this.delete(key);
    const most = this.limits.weight ?? Number.POSITIVE_INFINITY;
    if (weight > most) return;
    const now = this.now();
    this.entries.set(key, { value, weight, expires: now + (this.limits.ttl ?? Number.POSITIVE_INFINITY), used: now });
    this.weight += weight;
    for (const [oldest, { used }] of this.entries) {
      const heavy = this.weight > most && used <= now - (this.limits.spared ?? 0);
      if (this.entries.size <= this.limits.entries && !heavy) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.weight -= entry.weight;
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
    this.weight = 0;
  }

  get size(): number {
    return this.entries.size;
  }
}
