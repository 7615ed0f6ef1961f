/** Handlers of the chaos suite: each attempt writes a line to the ledger (CHAOS_LEDGER), which the platform can't read or write. */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const ledger = process.env.CHAOS_LEDGER ?? '';

function note(token) {
  // Opened with O_APPEND: lines of several processes don't mix.
  appendFileSync(ledger, `${JSON.stringify({ token, pid: process.pid, at: Date.now() })}\n`);
}

function nested(depth) {
  let value = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

/** Values that JSON, Redis or Postgres have their difficulties with. */
const poisons = {
  nul: () => 'a\0b',
  surrogate: () => ['\ud800', { '\udc00': 1 }],
  nan: () => ({ deep: [Number.NaN] }),
  infinity: () => Number.NEGATIVE_INFINITY,
  undefined: () => undefined,
  hole: () => ({ here: 1, gone: undefined }),
  bigint: () => ({ big: 10n ** 30n }),
  large: () => 'x'.repeat(9_000_000),
  kept: () => '\u20ac'.repeat(300_000),
  nested: () => nested(900),
  deep: () => nested(200_000),
  proto: () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  at: () => '@1.1',
  cycle: () => {
    const value = {};
    value.self = value;
    return value;
  },
  getter: () => ({
    get field() {
      throw new Error('a getter that throws');
    },
  }),
};

export const handlers = {
  /** Notes the attempt, works for `ms`, gives `value`. */
  note: async ({ value, ms = 0 }, { token, signal }) => {
    note(token);
    if (ms > 0) await delay(ms, undefined, { signal });
    return value ?? null;
  },
  /** The first attempt takes `ms` and does not listen: its answer comes late. Further ones answer at once. */
  late: async ({ value, ms }, { token, attempt }) => {
    note(token);
    if (attempt === 1) await delay(ms);
    return `${value} of attempt ${attempt}`;
  },
  poison: ({ kind }, { token }) => {
    note(token);
    return poisons[kind]();
  },
};
