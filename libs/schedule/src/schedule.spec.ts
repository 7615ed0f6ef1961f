import { CATCH_UP, CATCH_UP_LIMIT, ON_TIME_MS, type Cadence, type CatchUp } from '@lattice/contracts';
import fc from 'fast-check';
import { countTicks, newestTicks, nextTick, nextTicks } from './cadence';
import { dueTicks } from './due';
import { readTiming, type Timing } from './read-timing';

const berlin = (cron: string): Cadence => ({ kind: 'cron', cron, timezone: 'Europe/Berlin' });
const utc = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();

const START = utc('2026-01-01T00:00:00Z');
/** Two years, with the changes of clocks in them. */
const moment = fc.integer({ min: START, max: utc('2027-12-31T00:00:00Z') });
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
const field = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min, max }).map(String),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  );
const cron: fc.Arbitrary<Cadence> = fc
  .tuple(fc.option(field(0, 59)), field(0, 59), field(0, 23), zone)
  .map(([second, minute, hour, timezone]) => ({
    kind: 'cron',
    cron: `${second === null ? '' : `${second} `}${minute} ${hour} * * *`,
    timezone,
  }));
const every: fc.Arbitrary<Cadence> = fc
  .record({ seconds: fc.integer({ min: 1, max: 200_000 }), from: moment })
  .map(({ seconds, from }) => ({ kind: 'every', every: `${seconds}s`, from: iso(from) }));
const once: fc.Arbitrary<Cadence> = moment.map((at) => ({ kind: 'at', at: iso(at) }));
const cadence = fc.oneof(cron, every, once);

describe('nextTick', () => {
  it('gives what comes after a moment, and nothing lies between', () => {
    fc.assert(
      fc.property(cadence, moment, fc.integer({ min: 0, max: 50_000_000 }), (each, after, gap) => {
        const next = nextTick(each, after);
        if (next === undefined) return;
        expect(next).toBeGreaterThan(after);
        // Asked from anywhere before it, it is the same.
        expect(nextTick(each, Math.max(after, next - 1 - gap))).toBe(next);
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with the newest ticks and with the count', () => {
    fc.assert(
      fc.property(cadence, moment, fc.integer({ min: 1, max: 40 }), (each, after, count) => {
        const ticks = nextTicks(each, after, count);
        const until = ticks.at(-1) ?? after;
        const limit = Math.max(1, Math.floor(count / 2));
        expect(newestTicks(each, { after, until, limit }).map(iso)).toEqual(ticks.slice(-limit).map(iso));
        expect(countTicks(each, { after, before: until + 1, limit: 1_000 })).toBe(ticks.length);
      }),
      { numRuns: 300 },
    );
  });

  it('has no tick that never comes', () => {
    expect(readTiming({ cron: '0 0 30 2 *' }, START)).toMatchObject({ ok: false, faults: [{ code: 'bad_cron' }] });
  });
});

describe('clocks that change, in Europe/Berlin', () => {
  const ticks = (pattern: string, from: string, count: number): string[] =>
    nextTicks(berlin(pattern), utc(from), count).map(iso);

  it('ticks right after the gap for a time of day that does not exist', () => {
    expect(ticks('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('ticks the first time for a time of day that comes twice', () => {
    expect(ticks('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(ticks('30 2,14 * * *', '2026-10-24T20:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T13:30:00.000Z',
    ]);
  });

  it('follows the clock for a pattern with a step or a wildcard', () => {
    expect(ticks('*/30 * * * *', '2026-03-29T00:15:00Z', 3)).toEqual([
      '2026-03-29T00:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T01:30:00.000Z',
    ]);
    expect(ticks('30 */2 * * *', '2026-03-28T22:00:00Z', 3)).toEqual([
      '2026-03-28T23:30:00.000Z',
      '2026-03-29T02:30:00.000Z',
      '2026-03-29T04:30:00.000Z',
    ]);
    expect(ticks('30 * * * *', '2026-10-25T00:00:00Z', 3)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-25T02:30:00.000Z',
    ]);
  });

  it('counts and goes back over the change without a double', () => {
    const options = { after: utc('2026-10-24T22:00:00Z'), limit: 1_000 };
    expect(countTicks(berlin('* * * * *'), { ...options, before: utc('2026-10-25T23:00:00Z') })).toBe(1_000);
    expect(countTicks(berlin('30 2 * * *'), { ...options, before: utc('2026-10-25T23:00:00Z') })).toBe(1);
    const newest = newestTicks(berlin('*/10 * * * *'), { ...options, until: utc('2026-10-25T01:00:00Z'), limit: 4 });
    expect(newest.map(iso)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T00:40:00.000Z',
      '2026-10-25T00:50:00.000Z',
      '2026-10-25T01:00:00.000Z',
    ]);
  });
});

describe('dueTicks', () => {
  /** All that is fired until nothing is due any more, at one moment. */
  function drain(each: Cadence, options: { catchUp: CatchUp; from: number; now: number; limit: number }) {
    const fired: number[] = [];
    let missed = 0;
    let handledUntil = options.from;
    for (let turn = 0; turn < 200; turn += 1) {
      const due = dueTicks({
        cadence: each,
        catchUp: options.catchUp,
        handledUntil,
        now: options.now,
        limit: options.limit,
      });
      fired.push(...due.fire);
      missed += due.missed;
      if (due.handledUntil === handledUntil) break;
      handledUntil = due.handledUntil;
    }
    return { fired, missed, handledUntil };
  }

  const scene = fc.record({
    each: cadence,
    catchUp: fc.constantFrom(...CATCH_UP),
    from: moment,
    behind: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 5_000_000 })),
    limit: fc.integer({ min: 1, max: 30 }),
  });

  it('fires or counts each tick once, in order, and leaves nothing due', () => {
    fc.assert(
      fc.property(scene, ({ each, catchUp, from, behind, limit }) => {
        const now = from + behind;
        const { fired, missed, handledUntil } = drain(each, { catchUp, from, now, limit });
        const all = countTicks(each, { after: from, before: now + 1, limit: 1_000 });
        if (all < 1_000) expect(fired.length + missed).toBe(all);
        expect(fired).toEqual([...new Set(fired)].sort((a, b) => a - b));
        expect(fired.every((tick) => tick > from && tick <= now && nextTick(each, tick - 1) === tick)).toBe(true);
        const next = nextTick(each, handledUntil);
        expect(next === undefined || next > now).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('fires what is on time under every policy, and of the late what the policy says', () => {
    fc.assert(
      fc.property(scene, ({ each, catchUp, from, behind, limit }) => {
        const now = from + behind;
        const { fired } = drain(each, { catchUp, from, now, limit });
        const all = newestTicks(each, { after: from, until: now, limit: CATCH_UP_LIMIT });
        const onTime = all.filter((tick) => tick >= now - ON_TIME_MS);
        const wanted = { skip: onTime, last: onTime.length > 0 ? onTime : all.slice(-1), all }[catchUp];
        expect(fired.map(iso)).toEqual(wanted.map(iso));
      }),
      { numRuns: 400 },
    );
  });

  it('goes on after a death in the middle of a catch-up without a double', () => {
    const each: Cadence = { kind: 'every', every: '1m', from: iso(START) };
    const now = START + 300 * 60_000;
    const first = dueTicks({ cadence: each, catchUp: 'all', handledUntil: START, now, limit: 20 });
    const rest = drain(each, { catchUp: 'all', from: first.handledUntil, now, limit: 20 });
    expect(first.missed).toBe(200);
    expect([...first.fire, ...rest.fired]).toEqual(Array.from({ length: 100 }, (_, n) => START + (201 + n) * 60_000));
    expect(rest.missed).toBe(0);
  });

  it('does not go through centuries for a tick that is rare', () => {
    const begun = process.cpuUsage();
    const rare: Cadence = { kind: 'cron', cron: '0 0 29 2 *', timezone: 'UTC' };
    const due = dueTicks({ cadence: rare, catchUp: 'all', handledUntil: START, now: utc('2029-01-01'), limit: 20 });
    expect(due.fire.map(iso)).toEqual(['2028-02-29T00:00:00.000Z']);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(1_000);
  });
});

describe('readTiming', () => {
  const faults = (timing: Timing): string[] => {
    const read = readTiming(timing, START);
    return read.ok ? [] : read.faults.map(({ code, pointer }) => `${code} ${pointer}`);
  };

  it.each<[Timing, string[]]>([
    [{}, ['missing_field /cron']],
    [{ cron: '* * * * *', every: '5m' }, ['bad_value /every']],
    [{ cron: '61 * * * *', timezone: 'Mars/Olympus' }, ['bad_cron /cron', 'bad_time_zone /timezone']],
    [{ cron: '* * * *' }, ['bad_cron /cron']],
    [{ cron: '' }, ['bad_cron /cron']],
    [{ cron: '* * * * * * *' }, ['bad_cron /cron']],
    [{ cron: '2026-01-01T00:00:00' }, ['bad_cron /cron']],
    [{ cron: '? * * * *' }, ['bad_cron /cron']],
    [{ cron: '@reboot' }, ['bad_cron /cron']],
    [{ cron: '* * * * *', timezone: '+02:00' }, ['bad_time_zone /timezone']],
    [{ every: '500ms' }, ['bad_value /every']],
    [{ every: '5m', timezone: 'UTC' }, ['bad_value /timezone']],
    [{ at: '2026-01-01T00:00:00Z', startAt: '2026-01-01T00:00:00Z' }, ['bad_value /startAt']],
  ])('tells all faults of %j', (timing, expected) => {
    expect(faults(timing)).toEqual(expected);
  });

  it.each([
    ['0 9 * * MON-FRI', '2026-01-01T08:00:00.000Z'],
    ['*/10 * * * * *', '2026-01-01T00:00:10.000Z'],
    ['@daily', '2026-01-01T23:00:00.000Z'],
    ['0 0 L * *', '2026-01-30T23:00:00.000Z'],
    ['0 0 * * FRI#2', '2026-01-08T23:00:00.000Z'],
    ['0 0 13 * +FRI', '2026-02-12T23:00:00.000Z'],
  ])('takes %s', (pattern, next) => {
    const read = readTiming({ cron: pattern, timezone: 'Europe/Berlin' }, START);
    expect(read.ok && nextTicks(read.cadence, START, 1).map(iso)).toEqual([next]);
  });

  it('counts an interval from its start, or from now', () => {
    expect(readTiming({ every: '5m' }, START)).toEqual({
      ok: true,
      cadence: { kind: 'every', every: '5m', from: iso(START) },
    });
    const read = readTiming({ every: '1h', startAt: '2026-01-01T10:20:00+01:00' }, START);
    expect(read.ok && nextTicks(read.cadence, START, 2).map(iso)).toEqual([
      '2026-01-01T09:20:00.000Z',
      '2026-01-01T10:20:00.000Z',
    ]);
  });
});
