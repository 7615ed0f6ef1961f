import { Failures } from './failures';

describe('Failures', () => {
  it('blocks an address after twenty wrong keys, and lets it try again two times a second', () => {
    let now = 0;
    const failures = new Failures(() => now);
    const delays = Array.from({ length: 20 }, () => {
      expect(failures.blockedFor('a')).toBe(0);
      return failures.add('a');
    });
    expect(delays).toEqual([...delays].sort((x, y) => x - y));
    expect(delays.at(-1)).toBe(500);
    expect(failures.blockedFor('a')).toBe(1);
    expect(failures.blockedFor('b')).toBe(0);
    now = 500;
    expect(failures.blockedFor('a')).toBe(0);
    failures.add('a');
    expect(failures.blockedFor('a')).toBe(1);
    now = 60_000;
    expect(failures.add('a')).toBe(25);
  });
});
