/** What waits in a pool, as its budget sees it. */
export interface Spender {
  readonly bytes: number;
  /** Of what nobody has asked for since `before`, what nobody has for the longest. */
  oldest(before: number): { lastUse: number; close(): void } | undefined;
}

/** Memory that pools share: when it is used up, what was not asked for the longest gives way, in whichever of them it waits. */
export class Budget {
  private readonly spenders = new Set<Spender>();

  constructor(readonly bytes: number) {}

  join(spender: Spender): void {
    this.spenders.add(spender);
  }

  leave(spender: Spender): void {
    this.spenders.delete(spender);
  }

  /** Makes room for what was asked for at `lastUse`, by closing what was before that; false when there is none. */
  makeRoom(bytes: number, lastUse: number): boolean {
    while (this.used + bytes > this.bytes) {
      const [oldest] = [...this.spenders]
        .flatMap((one) => one.oldest(lastUse) ?? [])
        .sort((a, b) => a.lastUse - b.lastUse);
      if (oldest === undefined) return false;
      oldest.close();
    }
    return true;
  }

  private get used(): number {
    return [...this.spenders].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
