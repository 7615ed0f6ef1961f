import fc from 'fast-check';
import { untilBeat } from './beat';

test('what is done again and again is done at whole beats, each as long as was asked', () => {
  let now = 123.4;
  const times = Array.from({ length: 4 }, () => (now += untilBeat(2_000, now) + 3));
  expect(times.map((time) => time - 3)).toEqual([2_000, 4_000, 6_000, 8_000]);
});

test('never more than half a beat off, and short pauses as they are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600_000 }), fc.double({ min: 0, max: 1e9, noNaN: true }), (ms, now) => {
      const pause = untilBeat(ms, now);
      expect(Math.abs(pause - ms)).toBeLessThanOrEqual(ms < 1_000 ? 0 : 500.001);
      expect(pause).toBeGreaterThan(0);
    }),
  );
});
