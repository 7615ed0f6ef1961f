import { z } from 'zod';

const numberedSchema = z.array(
  z.object({
    id: z
      .string()
      .regex(/^\d{1,19}$/)
      .transform(BigInt),
  }),
);

/**
 * Watches the ids that come over the bus. History numbers its events without holes, over all runs; so a hole means that a
 * message was lost, for instance because its publisher died between the commit and the message.
 */
export class EventSequence {
  private latest: bigint | undefined;

  /** The highest id that came, or that was there before; undefined when nothing is known. */
  get last(): bigint | undefined {
    return this.latest;
  }

  /** Whatever has an id up to this one is not missed any more: all who follow look into Postgres, or did. */
  reach(id: bigint): void {
    if (this.latest === undefined || id > this.latest) this.latest = id;
  }

  /** True when nothing is missing between what came before and these events, nor among them. The first ones always fit. */
  continues(events: readonly unknown[]): boolean {
    const numbered = numberedSchema.safeParse(events);
    if (!numbered.success) return false;
    let whole = true;
    for (const { id } of numbered.data) {
      if (this.latest !== undefined && id > this.latest + 1n) whole = false;
      this.reach(id);
    }
    return whole;
  }
}
