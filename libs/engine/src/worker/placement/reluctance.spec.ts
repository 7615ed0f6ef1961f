import type { ResourceClass } from '@lattice/flow';
import { reluctanceOf } from './reluctance';

const NEED = { cpu: 0.25, memory: 0, gpu: 0, gpuMemory: 0 };
const placed = (place: 'pack' | 'spread', used: number): number => {
  const entry: ResourceClass = { name: 'c', uses: 'handler', need: NEED, rules: {}, place };
  return reluctanceOf(entry, {}, used);
};

test('a worker with one task of the eight that it may have is told from an empty one, by more than a wake-up may be late', () => {
  expect(placed('pack', 0) - placed('pack', 1 / 8)).toBeGreaterThan(80);
  expect(placed('spread', 1 / 8) - placed('spread', 0)).toBeGreaterThan(80);
});

test('a worker that is full does not wait for what is packed, nor an empty one for what is spread', () => {
  expect([placed('pack', 1), placed('spread', 0)]).toEqual([0, 0]);
  expect([placed('pack', 0), placed('spread', 1)]).toEqual([250, 250]);
});
