import type { WaitingRun } from '@lattice/persistence';
import fc from 'fast-check';
import { decideAdmission, limitersIn, obstacleOf } from './decide-admission';

const concurrency = fc.option(
  fc.record({
    name: fc.constantFrom('concurrency:w:a', 'concurrency:w:b'),
    limit: fc.integer({ min: 1, max: 3 }),
    policy: fc.constantFrom('queue' as const, 'cancel-running' as const, 'reject' as const),
  }),
  { nil: undefined },
);
const rate = fc.option(
  fc.record({
    name: fc.constantFrom('rate:w:a', 'rate:w:b'),
    limit: fc.integer({ min: 1, max: 3 }),
    perMs: fc.constant(60_000),
  }),
  { nil: undefined },
);
const fair = fc.option(
  fc.record({ name: fc.constantFrom('fair:w:a', 'fair:w:b'), limit: fc.integer({ min: 1, max: 3 }) }),
  { nil: undefined },
);
const runs: fc.Arbitrary<WaitingRun[]> = fc
  .array(fc.record({ concurrency, rate, fair }), { maxLength: 20 })
  .map((all) =>
    all.flatMap((limiters, index) => {
      const [first] = limitersIn(limiters);
      return first === undefined ? [] : [{ runId: `run-${index}`, waitingOn: first.name, limiters }];
    }),
  );
const NAMES = ['concurrency:w:a', 'concurrency:w:b', 'rate:w:a', 'rate:w:b', 'fair:w:a', 'fair:w:b'];
const states = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: NAMES.length, maxLength: NAMES.length })
  .map((used) => new Map(NAMES.map((name, index) => [name, { used: used[index] ?? 0, opensMs: null }])));

/** What counts of a run against its limits: a place that was taken when it was submitted does not count again. */
const counted = ({ limiters }: WaitingRun) =>
  limitersIn(limiters).filter(({ kind }) => kind !== 'concurrency' || limiters.concurrency?.policy !== 'reject');

test('no limit is passed, nobody waits without need, and the order holds', () => {
  fc.assert(
    fc.property(runs, states, (all, before) => {
      const { admitted, moved } = decideAdmission(all, before);
      const used = new Map([...before].map(([name, state]) => [name, state.used]));
      for (const run of all) {
        const full = counted(run).find(({ name, limit }) => (used.get(name) ?? 0) >= limit);
        // Let in exactly if, after all before it, each of its limits has room.
        expect(admitted.includes(run.runId)).toBe(full === undefined);
        const target = moved.find(({ runId }) => runId === run.runId)?.to.name;
        expect(target ?? (full === undefined ? undefined : run.waitingOn)).toBe(full?.name);
        if (full === undefined) for (const { name } of counted(run)) used.set(name, (used.get(name) ?? 0) + 1);
      }
    }),
    { numRuns: 500 },
  );
});

test('a rate that is used up tells when it opens', () => {
  const limiters = { rate: { name: 'rate:w:', limit: 2, perMs: 60_000 } };
  const one = (runId: string): WaitingRun => ({ runId, waitingOn: 'rate:w:', limiters });
  const full = decideAdmission([one('a')], new Map([['rate:w:', { used: 2, opensMs: 1_234 }]]));
  expect([...full.opens]).toEqual([['rate:w:', 1_234]]);
  const now = decideAdmission([one('a'), one('b'), one('c')], new Map([['rate:w:', { used: 0, opensMs: null }]]));
  expect(now.admitted).toEqual(['a', 'b']);
  expect([...now.opens]).toEqual([['rate:w:', 60_000]]);
});

test('people are told what they wait for', () => {
  expect(obstacleOf({ name: 'concurrency:deploy:', kind: 'concurrency', limit: 1 }).reason).toBe(
    'waits: at most 1 run of this workflow may be active at once',
  );
  expect(obstacleOf({ name: 'concurrency:deploy:user:7', kind: 'concurrency', limit: 2 }).reason).toBe(
    'waits: at most 2 runs of this workflow with the key "user:7" may be active at once',
  );
  expect(obstacleOf({ name: 'rate.90000:w:k', kind: 'rate', limit: 10, perMs: 90_000 }).reason).toBe(
    'waits: at most 10 runs of this workflow with the key "k" may start in 90s',
  );
});
