import fc from 'fast-check';
import { downstreamOf } from './downstream';

/** Graphs whose tasks depend on earlier ones only. */
const graphs = fc
  .array(fc.array(fc.nat(1_000), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map(
    (rows) =>
      new Map(
        rows.map((needs, index) => [
          `t${index}`,
          { needs: index === 0 ? [] : [...new Set(needs.map((n) => `t${n % index}`))] },
        ]),
      ),
  );

describe('downstreamOf', () => {
  it('holds the tasks named, and a task exactly when it is named or one of its dependencies is in it', () => {
    fc.assert(
      fc.property(graphs, fc.array(fc.nat(1_000), { maxLength: 3 }), (tasks, picks) => {
        const keys = picks.map((n) => `t${n % tasks.size}`);
        const found = downstreamOf(tasks, keys);
        for (const [key, { needs }] of tasks) {
          expect(found.has(key)).toBe(keys.includes(key) || needs.some((need) => found.has(need)));
        }
      }),
    );
  });

  it('goes down a chain of ten thousand', () => {
    const tasks = new Map(
      Array.from({ length: 10_000 }, (_, n) => [`t${n}`, { needs: n === 0 ? [] : [`t${n - 1}`] }] as const),
    );
    expect(downstreamOf(tasks, ['t1']).size).toBe(9_999);
    expect(downstreamOf(tasks, ['nobody']).size).toBe(0);
  });
});
