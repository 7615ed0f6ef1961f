import fc from 'fast-check';
import { cut, padEnd, padStart, widthOf } from './text-width';

describe('widthOf', () => {
  it.each([
    ['abc', 3],
    ['━━─', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한글', 4],
    ['🚀', 2],
    ['✔ ok', 4],
    ['', 0],
  ])('%s takes %d columns', (text, width) => expect(widthOf(text)).toBe(width));
});

describe('cut', () => {
  it('ends what is too wide with an ellipsis', () => {
    expect(cut('a long text', 6)).toBe('a lon…');
    expect(cut('日本語', 5)).toBe('日本…');
    expect(cut('日本語', 4)).toBe('日…');
    expect([cut('short', 6), cut('ab', 1), cut('ab', 0)]).toEqual(['short', '…', '']);
  });

  it('is never wider than asked for, and padding makes it just as wide', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 20 }), (text, width) => {
        const kept = cut(text, width);
        expect(widthOf(kept)).toBeLessThanOrEqual(width);
        expect(widthOf(padEnd(kept, width))).toBe(width);
        expect(widthOf(padStart(kept, width))).toBe(width);
      }),
    );
  });
});
