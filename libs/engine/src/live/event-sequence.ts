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
  private last: bigint | undefined;

  /** True when nothing is missing between what came before and these events, nor among them. The first ones always fit. */
  continues(events: readonly unknown[]): boolean {
    const numbered = numberedSchema.safeParse(events);
    if (!numbered.success) return false;
    let whole = true;
    for (const { id } of numbered.data) {
      if (this.last !== undefined && id > this.last + 1n) whole = false;
      if (this.last === undefined || id > this.last) this.last = id;
    }
    return whole;
  }
}
