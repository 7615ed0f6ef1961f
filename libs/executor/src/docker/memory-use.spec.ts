import fc from 'fast-check';
import { MEBIBYTE } from '../../test/support';
import { memoryUseOf, Starvation, type MemoryUse } from './memory-use';

const LIMIT = 96 * MEBIBYTE;

/** As an engine of version 20.10 answered on a machine with control groups of version 1. */
const VERSION_1 = {
  read: '2026-11-21T15:56:49.328943394Z',
  cpu_stats: { cpu_usage: { total_usage: 70_113_170, usage_in_kernelmode: 40_000_000, usage_in_usermode: 20_000_000 } },
  memory_stats: {
    usage: 56_266_752,
    max_usage: 56_266_752,
    limit: 100_663_296,
    stats: {
      active_anon: 1,
      inactive_anon: 1,
      mapped_file: 1,
      pgmajfault: 1,
      total_active_anon: 4_096,
      total_inactive_anon: 45_182_976,
      total_mapped_file: 5_107_712,
      total_pgmajfault: 8,
      total_unevictable: 0,
    },
  },
};

describe('what an engine measured', () => {
  it('is read where control groups are of version 1', () => {
    expect(memoryUseOf(VERSION_1)).toEqual({
      at: Date.parse('2026-11-21T15:56:49.328Z'),
      usedBytes: 56_266_752,
      ownBytes: 45_187_072,
      mappedBytes: 5_107_712,
      majorFaults: 8,
      programMs: 20,
    });
  });

  it('is read where they are of version 2', () => {
    const stats = { active_anon: 10, inactive_anon: 20, unevictable: 3, file_mapped: 4, pgmajfault: 5 };
    const given = { ...VERSION_1, memory_stats: { usage: 50, limit: 60, stats } };
    expect(memoryUseOf(given)).toMatchObject({ usedBytes: 50, ownBytes: 33, mappedBytes: 4, majorFaults: 5 });
  });

  it.each([
    ['a container that has ended', { read: '0001-01-01T00:00:00Z', cpu_stats: {}, memory_stats: {} }],
    ['an engine that counts no memory', { ...VERSION_1, memory_stats: { usage: 5, stats: {} } }],
    ['no object', 'no'],
  ])('is nothing for %s', (_, stats) => expect(memoryUseOf(stats)).toBeUndefined());
});

describe('a container at its limit', () => {
  const STARVED: MemoryUse = {
    at: 0,
    usedBytes: LIMIT - 50_000,
    ownBytes: 0.89 * LIMIT,
    mappedBytes: 300_000,
    majorFaults: 100,
    programMs: 40,
  };
  /** Four looks, a second apart. */
  const looks = (step: (second: number) => Partial<MemoryUse>): MemoryUse[] =>
    [0, 1, 2, 3].map((second) => {
      const one = { ...STARVED, at: second * 1_000, majorFaults: 100 + 45 * second };
      return { ...one, ...step(second) };
    });
  const starvedMs = (uses: readonly MemoryUse[], hopeless = true): number => {
    const starvation = new Starvation({ limitBytes: LIMIT, hopeless });
    for (const use of uses) starvation.see(use);
    return starvation.ms;
  };

  it('that only waits for its files is starved, with what was measured', () => {
    const starvation = new Starvation({ limitBytes: LIMIT, hopeless: true });
    for (const use of looks((second) => ({ programMs: 40 + second }))) starvation.see(use);
    expect(starvation.errorAfter(3_001)).toBeUndefined();
    const error = starvation.errorAfter(3_000, { timeoutMs: 5_000 });
    expect(error).toMatchObject({ code: 'out_of_memory', retryable: true });
    const measured = { ownBytes: STARVED.ownBytes, starvedMs: 3_000, majorFaults: 135, programMs: 3 };
    expect(error?.details).toEqual({ limitBytes: LIMIT, timeoutMs: 5_000, ...measured });
    expect(error?.message).toContain('in 3000 ms it waited for them 135 times and worked for 3 ms');
  });

  it.each<[string, (second: number) => Partial<MemoryUse>]>([
    ['computes', (second) => ({ programMs: 40 + 200 * second })],
    ['sleeps', () => ({ majorFaults: 100 })],
    ['works on files that take most of it', () => ({ ownBytes: LIMIT / 2 })],
    ['has memory left', () => ({ usedBytes: 0.9 * LIMIT })],
  ])('that %s is not starved', (_, step) => {
    expect(starvedMs(looks(step))).toBe(0);
    expect(starvedMs(looks(step), false)).toBe(0);
  });

  it('whose pages are of use when they have been read is slow, not without hope', () => {
    const uses = looks(() => ({ mappedBytes: LIMIT - 50_000 - STARVED.ownBytes }));
    expect(starvedMs(uses)).toBe(0);
    expect(starvedMs(uses, false)).toBe(3_000);
  });

  it('is starved since the last moment at which it got further', () => {
    expect(starvedMs(looks((second) => ({ programMs: second < 2 ? 500 * second : 500 })))).toBe(2_000);
    expect(starvedMs(looks((second) => (second === 2 ? { usedBytes: 0.5 * LIMIT } : {})))).toBe(0);
  });

  it('is never said to be starved while its programs work, whatever else is measured', () => {
    const bytes = fc.double({ min: 0, max: LIMIT, noNaN: true });
    const look = fc.record({ usedBytes: bytes, ownBytes: bytes, mappedBytes: bytes, majorFaults: fc.nat(1_000_000) });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 8 }), fc.boolean(), (measured, hopeless) => {
        const uses = measured.map((use, second) => ({ ...use, at: second * 1_000, programMs: second * 51 }));
        expect(starvedMs(uses, hopeless)).toBe(0);
      }),
    );
  });
});
