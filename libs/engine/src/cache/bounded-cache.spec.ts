import { BoundedCache } from './bounded-cache';

describe('BoundedCache', () => {
  it('forgets the entry used longest ago', () => {
    const cache = new BoundedCache<string, number>({ entries: 2 });
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.get('a')).toBe(1);
    cache.set('c', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  });

  it('keeps to the weight, and does not keep what is heavier than all of it', () => {
    const cache = new BoundedCache<string, number>({ entries: 10, weight: 10 });
    cache.set('a', 1, 6);
    cache.set('b', 2, 6);
    cache.set('c', 3, 11);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 2, undefined]);
    cache.set('b', 4, 10);
    expect(cache.get('b')).toBe(4);
    expect(cache.size).toBe(1);
  });

  it('spares what was used lately, as long as there are not too many', () => {
    let now = 0;
    const cache = new BoundedCache<string, number>({ entries: 3, weight: 10, spared: 100 }, () => now);
    cache.set('a', 1, 6);
    now = 50;
    cache.set('b', 2, 6);
    expect(cache.size).toBe(2);
    now = 120;
    cache.set('c', 3, 6);
    // Of b's use it is 70 ms, of a's 120.
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 2, 3]);
    cache.set('d', 4, 6);
    cache.set('e', 5, 6);
    expect([cache.get('b'), cache.get('c'), cache.get('d'), cache.get('e')]).toEqual([undefined, 3, 4, 5]);
    now = 500;
    cache.set('f', 6, 6);
    expect(cache.size).toBe(1);
  });

  it('forgets what is older than the limit', () => {
    let now = 0;
    const cache = new BoundedCache<string, number>({ entries: 2, ttl: 100 }, () => now);
    cache.set('a', 1);
    now = 99;
    expect(cache.get('a')).toBe(1);
    now = 100;
    expect(cache.get('a')).toBeUndefined();
    expect(cache.size).toBe(0);
  });
});
