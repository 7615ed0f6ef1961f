import { createLogger, readSettings } from '@lattice/config';
import { tellHolding } from './tell-holding';

const reason = 'nobody may';
const log = createLogger('worker', 'silent');
const settings = (how: Record<string, string>) =>
  readSettings({ REDIS_URL: 'redis://localhost', DATABASE_URL: 'postgres://localhost/lattice', ...how });

test('a worker that must make control groups and may not does not start, and says why and what to do', () => {
  const must = { settings: settings({ LATTICE_CONTROL_GROUPS: 'required' }), log };
  expect(() => tellHolding(must, { reason })).toThrow(/nobody may.*Delegate=yes/);
  expect(() => tellHolding(must, { version: 2, folder: '/x' })).not.toThrow();
});

test('others start without', () => {
  for (const how of [{}, { LATTICE_CONTROL_GROUPS: 'off' }])
    expect(() => tellHolding({ settings: settings(how), log }, { reason })).not.toThrow();
});
