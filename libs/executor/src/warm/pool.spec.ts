import fc from 'fast-check';
import { eventually } from '../../test/support';
import { Budget } from './budget';
import { Pool } from './pool';

interface Item {
  key: string;
  number: number;
}

function make(of: number | Budget, mostOfAKey = 4) {
  const budget = typeof of === 'number' ? new Budget(of) : of;
  const alive = new Set<Item>();
  let count = 0;
  const pool = new Pool<Item>({
    budget,
    mostOfAKey,
    bytesOf: (key) => Number(key),
    discard: async (item) => {
      await Promise.resolve();
      if (!alive.delete(item)) throw new Error('discarded twice');
    },
  });
  const start = (key: string) => async () => {
    await Promise.resolve();
    const item = { key, number: ++count };
    alive.add(item);
    return item;
  };
  return { pool, alive, take: (key: string) => pool.take(key, start(key)), made: () => count };
}

it('has nothing at first, then one ahead, and never gives the same twice', async () => {
  const { pool, take, alive } = make(100);
  const given = new Set<Item>();
  expect(take('1')).toBeUndefined();
  for (let n = 0; n < 5; n++) {
    await eventually(() => pool.size > 0);
    const item = take('1');
    expect(item).toBeDefined();
    if (item !== undefined) given.add(item);
  }
  expect(given.size).toBe(5);
  await pool.close();
  expect([...alive].every((item) => given.has(item))).toBe(true);
});

it('grows with the tasks that found nothing, up to its bound', async () => {
  const { pool, take } = make(100, 3);
  for (let n = 0; n < 10; n++) expect(take('1')).toBeUndefined();
  await eventually(() => pool.size === 3);
  await pool.close();
});

it('without a budget starts nothing', async () => {
  const { pool, take, made } = make(0);
  expect(take('1')).toBeUndefined();
  await pool.close();
  expect(made()).toBe(0);
});

it('takes out what has ended by itself, once', async () => {
  const { pool, take, alive } = make(100);
  take('1');
  await eventually(() => pool.size === 1);
  const [item] = alive;
  if (item === undefined) throw new Error('none');
  pool.lost(item);
  // Twice is the same as once, else the discard above throws.
  pool.lost(item);
  expect(pool.size).toBe(0);
  await pool.close();
  expect(alive.size).toBe(0);
});

it('does not try again by itself what can not be started', async () => {
  let tries = 0;
  const { pool } = make(100);
  const start = () => Promise.reject(new Error(`try ${++tries}`));
  pool.take('1', start);
  await eventually(() => tries === 1);
  pool.take('1', start);
  await eventually(() => tries === 2);
  await pool.close();
  expect(tries).toBe(2);
});

it('shares its budget with another pool: what was not asked for the longest gives way', async () => {
  const budget = new Budget(50);
  const one = make(budget);
  const other = make(budget);
  one.take('20');
  await eventually(() => one.pool.size === 1);
  other.take('45');
  await eventually(() => other.pool.size === 1);
  expect([one.pool.size, one.alive.size]).toEqual([0, 0]);
  await other.pool.close();
  // What it had is there for the other again.
  one.take('45');
  await eventually(() => one.pool.size === 1);
  await one.pool.close();
});

it('stays within its budget, whatever is asked for in whatever order, and leaves nothing when it is closed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('10', '20', '45'), { maxLength: 12 }), async (keys) => {
      const { pool, take, alive } = make(50);
      const given = new Set<Item>();
      for (const key of keys) {
        const item = take(key);
        if (item !== undefined) given.add(item);
        expect(item === undefined || item.key === key).toBe(true);
        await new Promise(setImmediate);
        const waiting = [...alive].filter((one) => !given.has(one));
        // Those on their way out are counted too, until they are gone.
        expect(waiting.reduce((sum, one) => sum + Number(one.key), 0)).toBeLessThanOrEqual(50);
      }
      await pool.close();
      expect([...alive].filter((one) => !given.has(one))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});
