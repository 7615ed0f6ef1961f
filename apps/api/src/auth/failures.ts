/** Wrong keys an address may send at once, and how many more each second. */
const BURST = 20;
const PER_SECOND = 2;
/** Addresses remembered; the one that failed longest ago is forgotten first. */
const ADDRESSES = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Counts wrong keys by address. An address that sent too many has keys not known yet refused without a look at the database
 * until it slows down; keys in use are never refused, so that nobody is locked out by a neighbour behind the same address.
 */
export class Failures {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Seconds until the address may try again; 0 when it may now. */
  blockedFor(address: string): number {
    const tokens = this.tokensOf(address);
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / PER_SECOND);
  }

  /** One more wrong key. Gives the milliseconds to hold back the answer: more for each failure, up to half a second. */
  add(address: string): number {
    const tokens = Math.max(0, this.tokensOf(address) - 1);
    this.buckets.delete(address);
    this.buckets.set(address, { tokens, at: this.now() });
    const oldest = this.buckets.keys().next();
    if (this.buckets.size > ADDRESSES && oldest.done !== true) this.buckets.delete(oldest.value);
    return Math.min(500, Math.round(25 * (BURST - tokens)));
  }

  private tokensOf(address: string): number {
    const bucket = this.buckets.get(address);
    if (bucket === undefined) return BURST;
    return Math.min(BURST, bucket.tokens + ((this.now() - bucket.at) / 1_000) * PER_SECOND);
  }
}
