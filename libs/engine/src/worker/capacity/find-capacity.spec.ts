import { availableParallelism, totalmem } from 'node:os';
import fc from 'fast-check';
import { findCapacity } from './find-capacity';

const nothing = { cpus: undefined, memory: undefined, concurrency: 7 };
const none = { cpu: Infinity, memory: Infinity };

test('what the machine has counts where no limit is less', () => {
  const machine = { cpu: availableParallelism(), memory: totalmem(), slots: 7 };
  expect(findCapacity(nothing, none)).toEqual(machine);
  expect(findCapacity(nothing, { cpu: 100_000, memory: 2 ** 59 })).toEqual(machine);
});

test('limits that are less count, in fractions of a core, and no fewer than serve a task that asks for none', () => {
  expect(findCapacity(nothing, { cpu: 0.5, memory: 2 ** 20 })).toEqual({ cpu: 0.5, memory: 2 ** 20, slots: 7 });
  expect(findCapacity(nothing, { cpu: 1 / 3, memory: Infinity }).cpu).toBe(0.33);
  expect(findCapacity(nothing, { cpu: 0.29, memory: Infinity }).cpu).toBe(0.29);
  expect(findCapacity(nothing, { cpu: 0.05, memory: Infinity }).cpu).toBe(0.25);
});

test('what the worker was told counts before all that is found', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, noNaN: true }), fc.nat(), (cpu, memory) => {
      const found = findCapacity({ cpus: 64, memory: 2 ** 40, concurrency: 1 }, { cpu, memory });
      expect(found).toEqual({ cpu: 64, memory: 2 ** 40, slots: 1 });
    }),
  );
});
