import fc from 'fast-check';
import { groupsOf } from './groups';

const named = (names: readonly string[]) => names.map((name) => ({ name }));
const sizes = (names: readonly string[], most: number) =>
  groupsOf(named(names), most).map(({ name, tasks }) => [name, tasks.length]);

describe('groupsOf', () => {
  it('takes tasks together whose names differ in a number, else in what follows the first word', () => {
    expect(sizes(['load_0', 'load_1', 'clean-2', 'clean-10', 'report'], 5)).toEqual([
      ['load', 2],
      ['clean', 2],
      ['report', 1],
    ]);
    expect(sizes(['db/dump.sh', 'db/check.sh', 'web/a.sh', 'web/b.sh', 'x1', 'x2'], 3)).toEqual([
      ['db/', 2],
      ['web/', 2],
      ['x', 2],
    ]);
    expect(sizes(['shard_1_load', 'shard_2_load', 'shard_1_sort', 'shard_2_sort'], 2)).toEqual([
      ['shard_load', 2],
      ['shard_sort', 2],
    ]);
  });

  it('gives none where names tell nothing', () => {
    expect(sizes(['a', 'b', 'c', 'd'], 3)).toEqual([]);
    expect(sizes(['t0', 't1', 't2'], 3)).toEqual([]);
  });

  it('has each task once, in no more groups than asked for', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '1', '2', '/'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 40 }), fc.integer({ min: 0, max: 8 }), (names, most) => {
        const groups = groupsOf(named(names), most);
        expect(groups.length).toBeLessThanOrEqual(most);
        const all = groups.flatMap(({ tasks }) => tasks.map((task) => task.name));
        expect([...all].sort()).toEqual(groups.length === 0 ? [] : [...names].sort());
      }),
    );
  });
});
