import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(__dirname, '..', '..');
const APPS = ['api', 'scheduler', 'worker', 'worker-cuda'];

const file = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      build: z.object({ target: z.string() }).optional(),
      environment: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

function read(name: string): z.infer<typeof file>['services'] {
  return file.parse(parse(readFileSync(join(root, name), 'utf8'), { merge: true })).services;
}

const services = Object.entries(read('docker-compose.yml')).filter(([, { build }]) => build !== undefined);

it('the services of compose are the apps', () => {
  expect(services.map(([, { build }]) => build?.target).sort()).toEqual([...APPS].sort());
});

describe.each(['docker', 'seccomp'])('compose.%s.yml', (level) => {
  const overlay = read(`docker/compose.${level}.yml`);

  it('lets no service of the platform run code below its level', () => {
    for (const [name] of services) {
      expect([name, overlay[name]?.environment]).toEqual([name, { LATTICE_SANDBOX_MIN: level }]);
    }
  });

  it('gives workers with GPUs what it gives the others', () => {
    expect(Object.keys(overlay['worker'] ?? {}).length).toBeGreaterThan(1);
    expect(overlay['worker-gpu']).toEqual(overlay['worker']);
  });
});
