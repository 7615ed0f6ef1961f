import { readSettings } from './settings';

const services = { REDIS_URL: 'redis://localhost', DATABASE_URL: 'postgres://localhost/lattice' };

describe('the level of code that asks for none', () => {
  it.each([
    [{}, 'subprocess'],
    [{ LATTICE_SANDBOX: 'docker' }, 'docker'],
    [{ LATTICE_SANDBOX_MIN: 'seccomp' }, 'seccomp'],
    [{ LATTICE_SANDBOX: 'docker', LATTICE_SANDBOX_MIN: 'seccomp' }, 'docker'],
    [{ LATTICE_SANDBOX: 'seccomp', LATTICE_SANDBOX_MIN: 'none' }, 'seccomp'],
  ])('with %j is %s', (environment, level) => {
    expect(readSettings({ ...services, ...environment }).worker.sandbox).toBe(level);
  });

  it('may not be below the minimum', () => {
    const environment = { ...services, LATTICE_SANDBOX: 'subprocess', LATTICE_SANDBOX_MIN: 'docker' };
    expect(() => readSettings(environment)).toThrow('LATTICE_SANDBOX is weaker than LATTICE_SANDBOX_MIN');
  });
});
