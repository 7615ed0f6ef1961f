import { CEL_WORDS, isTaskKey } from '@lattice/contracts';
import fc from 'fast-check';
import { taskKeysOf } from './task-keys';

describe('taskKeysOf', () => {
  it('keeps ids that are task keys, and makes others legal', () => {
    const ids = ['a', 'ID0000001', 'bowtie2-build_ID1', 'NF.SRA:RUN#4', '7', '', 'in', '__proto__', 'é', 'constructor'];
    expect(taskKeysOf(ids)).toEqual([
      'a',
      'ID0000001',
      'bowtie2_build_ID1',
      'NF_SRA_RUN_4',
      '_7',
      '_',
      'in_',
      '__proto___',
      '__2',
      'constructor',
    ]);
    expect(taskKeysOf(CEL_WORDS).every(isTaskKey)).toBe(true);
  });

  it('leaves a key to the task that has it as id, wherever it stands', () => {
    expect(taskKeysOf(['a-b', 'a.b', 'a_b', 'a_b_2'])).toEqual(['a_b_3', 'a_b_4', 'a_b', 'a_b_2']);
  });

  it('keeps beginning and end of long ids', () => {
    const long = (end: string): string => `${'x'.repeat(80)}-${end}`;
    const [first, second] = taskKeysOf([long('0000000001'), long('0000000002')]);
    expect(first).toMatch(/^x{40}_x{11}_0000000001$/);
    expect(second).toMatch(/_0000000002$/);
  });

  it('gives legal keys, one each, and the same again for the same ids', () => {
    const id = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', '_', '-', '.', '1', '2'), maxLength: 5 }),
      fc.string({ unit: fc.constantFrom('a', '-'), minLength: 60, maxLength: 70 }),
      fc.constantFrom(...CEL_WORDS),
    );
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 60 }), (ids) => {
        const keys = taskKeysOf(ids);
        expect(keys.filter((key) => !isTaskKey(key))).toEqual([]);
        expect(new Set(keys).size).toBe(ids.length);
        expect(keys.filter((key, index) => isTaskKey(ids[index] ?? '') && key !== ids[index])).toEqual([]);
        expect(taskKeysOf(ids)).toEqual(keys);
      }),
    );
  });

  it('is quick when ten thousand ids become one', () => {
    // Ids that differ only where nothing legal is left, or only behind the longest stem.
    const same = Array.from({ length: 5_000 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    const ends = Array.from({ length: 2_500 }, (_, index) => `${'x'.repeat(59)}${index.toString(36).padStart(3, '0')}`);
    const ids = [...same, ...ends.map((id) => `${id}-`), ...ends.map((id) => `${id}.`)];
    const started = process.cpuUsage();
    expect(new Set(taskKeysOf(ids)).size).toBe(10_000);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(1_000);
  });
});
