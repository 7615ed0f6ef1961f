import { randomFrom } from './scenario';
import { killApps } from './scenarios/kills';
import { flushRedis } from './scenarios/redis';

/** Shorter than the real one, so that what is lost comes back while the test runs. */
const env = { LATTICE_LOCK: '4s' };
const say = (): void => undefined;

/** The short form of `npm run chaos`. */
test('200 runs while API, schedulers and workers are killed: all end right, and what was done is not done again', async () => {
  const options = { runs: 200, random: randomFrom(1), say };
  // On a quick machine none of so few kills may hit work that is just being done.
  const report = await killApps(options, { overMs: 9_000, everyMs: 1_000, env, seconds: 0 });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBeGreaterThan(5);
});

test('Redis is emptied in the middle of runs: they are made again, and what Postgres has as completed never runs again', async () => {
  const report = await flushRedis({ runs: 400, random: randomFrom(1), say }, env);
  expect(report.faults).toEqual([]);
});
