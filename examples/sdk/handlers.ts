/** What the worker does and the program asks for: one definition, typed on both sides. */
import { handler, z } from '@lattice/sdk';

const order = z.object({ id: z.string(), country: z.string(), cents: z.number().int() });

export const load = handler(
  { name: 'orders.load', inputs: { count: z.number().int().default(100) }, outputs: { orders: z.array(order) } },
  async ({ count }, { progress, signal }) => {
    const orders: z.infer<typeof order>[] = [];
    for (let n = 0; n < count; n += 1) {
      signal.throwIfAborted();
      orders.push({ id: `o${n}`, country: ['DE', 'FR', 'IT'][n % 3] ?? 'DE', cents: 100 + n });
      if (n % 25 === 0) progress((100 * n) / count, `${n} of ${count}`);
    }
    return { orders };
  },
);

export const sum = handler(
  {
    name: 'orders.sum',
    inputs: { orders: z.array(order), by: z.enum(['country', 'all']) },
    outputs: { sums: z.record(z.string(), z.number()) },
    retry: { maxAttempts: 3, initialDelay: '100ms' },
  },
  ({ orders, by }, { log }) => {
    const sums: Record<string, number> = {};
    for (const { country, cents } of orders) {
      const key = by === 'all' ? 'all' : country;
      sums[key] = (sums[key] ?? 0) + cents;
    }
    log(`${orders.length} orders by ${by}`);
    return { sums };
  },
);

export const report = handler(
  {
    name: 'orders.report',
    inputs: { total: z.number(), byCountry: z.record(z.string(), z.number()) },
    outputs: { lines: z.array(z.string()) },
  },
  ({ total, byCountry }) => {
    const parts = Object.values(byCountry).reduce((all, cents) => all + cents, 0);
    if (parts !== total) throw new Error(`the parts make ${parts}, not ${total}`);
    return { lines: Object.entries(byCountry).map(([country, cents]) => `${country} ${(cents / 100).toFixed(2)}`) };
  },
);
