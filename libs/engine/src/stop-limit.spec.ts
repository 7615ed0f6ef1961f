import { stopLimitOf } from './stop-limit';

const settings = (drain: number, grace = 1_000) => ({ worker: { drain, grace } });

test('a worker has all of its drain, the grace, and time for the rest', () => {
  expect(stopLimitOf('worker', settings(8_000))).toBe(20_000);
  expect(stopLimitOf('worker', settings(60_000))).toBe(71_000);
  expect(stopLimitOf('worker', settings(60_000, 30_000))).toBe(100_000);
});

test('the others drain nothing', () => {
  expect(stopLimitOf('api', settings(60_000))).toBe(20_000);
  expect(stopLimitOf('scheduler', settings(60_000))).toBe(20_000);
});
