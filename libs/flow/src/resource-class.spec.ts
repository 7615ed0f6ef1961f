import fc from 'fast-check';
import { resourceClassOf } from './resource-class';

const GIB = 2 ** 30;
const needOf = (resources: { cpu?: number; memory?: string; gpuMemory?: string }) =>
  resourceClassOf({ uses: 'code', resources, rules: {} }).need;

test.each([
  [{ gpuMemory: '23Gi' }, { gpuMemory: 23 * GIB }],
  [{ gpuMemory: '75Gi' }, { gpuMemory: 75 * GIB }],
  [{ memory: '61Gi' }, { memory: 61 * GIB }],
  [{ memory: '60.5Gi' }, { memory: 61 * GIB }],
  [{ memory: '1.5Gi' }, { memory: 1.5 * GIB }],
  [{ memory: '1000Gi' }, { memory: 1000 * GIB }],
  [{ cpu: 1.5 }, { cpu: 1.5 }],
  [{ cpu: 2.1 }, { cpu: 2.25 }],
])('%j is a need of %j', (resources, need) => {
  expect(needOf(resources)).toMatchObject(need);
});

test('a need is never less than what was asked for, and little more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 24, max: 2 ** 42 }), (bytes) => {
      const { memory } = needOf({ memory: `${bytes}` });
      expect(memory).toBeGreaterThanOrEqual(bytes);
      expect(memory - bytes).toBeLessThan(Math.min(GIB, bytes / 16));
    }),
  );
});

test('needs that are nearly the same are one class', () => {
  const names = Array.from({ length: 1_000 }, (_, n) => `${GIB + n * 2 ** 20}`).map(
    (memory) => resourceClassOf({ uses: 'code', resources: { memory }, rules: {} }).name,
  );
  expect(new Set(names).size).toBeLessThanOrEqual(17);
});
