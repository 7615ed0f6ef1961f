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

test('keys of secrets and logins of registries are read, and never told when they are wrong', () => {
  const [one, two] = ['a'.repeat(32), 'b'.repeat(32)];
  const login = '{"auths":{"r.example":{"auth":"aHVudGVyMg=="}}}';
  const read = readSettings({ ...services, LATTICE_SECRETS_KEY: `${one}, ${two}`, LATTICE_REGISTRY_AUTH: login });
  expect(read.secretsKeys).toEqual([one, two]);
  expect(read.worker.registryAuth).toBe(login);
  const wrong = { ...services, LATTICE_SECRETS_KEY: 'hunter2', LATTICE_REGISTRY_AUTH: '{hunter2' };
  expect(() => readSettings(wrong)).toThrow(/LATTICE_SECRETS_KEY is not a key(.|\n)*LATTICE_REGISTRY_AUTH is neither/);
  expect(() => readSettings(wrong)).not.toThrow('hunter2');
});

test('a worker may drain for days, not for longer than timers reach', () => {
  expect(readSettings({ ...services, LATTICE_DRAIN: '7d' }).worker.drain).toBe(604_800_000);
  expect(() => readSettings({ ...services, LATTICE_DRAIN: '8d' })).toThrow('LATTICE_DRAIN is more than 7d');
});

test('folders of which containers may be given something are for reading unless they say otherwise', () => {
  expect(readSettings(services).worker.mounts).toEqual([]);
  const read = readSettings({ ...services, LATTICE_MOUNTS: '/srv/a, /srv/b:rw,/srv/c:ro/' });
  expect(read.worker.mounts).toEqual([
    { folder: '/srv/a', writable: false },
    { folder: '/srv/b', writable: true },
    { folder: '/srv/c:ro', writable: false },
  ]);
});
