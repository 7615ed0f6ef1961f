import { workerStopMs } from './worker-stop';

test('a worker is killed some seconds after it should have ended itself', () => {
  expect(workerStopMs({})).toBe(25_000);
  expect(workerStopMs({ LATTICE_DRAIN: '5m' })).toBe(316_000);
  expect(workerStopMs({ LATTICE_DRAIN: '1.5s', LATTICE_GRACE: '30s' })).toBe(46_500);
  expect(workerStopMs({ LATTICE_DRAIN: 'long' })).toBe(25_000);
});
