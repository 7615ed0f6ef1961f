import { Writable } from 'node:stream';
import fc from 'fast-check';
import { Screen } from '../../test/screen';
import { newLiveRegion } from './live-region';

/** A terminal of this size that remembers what it shows, and how much was written to it. */
class Tty extends Writable {
  readonly isTTY = true;
  readonly screen: Screen;
  written = 0;

  constructor(
    public columns: number,
    public rows: number,
  ) {
    super({ decodeStrings: false });
    this.screen = new Screen(columns, rows);
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.written += chunk.length;
    this.screen.write(chunk);
    done();
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    this.screen.resize(columns, rows);
  }
}

describe('newLiveRegion', () => {
  it('redraws in place, writes only what changed, and leaves the last lines', () => {
    const tty = new Tty(20, 10);
    const region = newLiveRegion(tty);
    region.draw(() => ['one', 'two', 'three']);
    expect(tty.screen.shown).toEqual(['one', 'two', 'three']);
    expect(tty.screen.cursorShown).toBe(false);
    const before = tty.written;
    region.draw(() => ['one', 'two', 'three']);
    expect(tty.written).toBe(before);
    region.draw(() => ['one', 'two', 'THREE']);
    expect(tty.written - before).toBeLessThan(50);
    expect(tty.screen.shown).toEqual(['one', 'two', 'THREE']);
    region.end(() => ['done']);
    expect(tty.screen.shown).toEqual(['done']);
    expect(tty.screen.cursorShown).toBe(true);
  });

  it('puts what is to stay above, also when it is wider than the terminal', () => {
    const tty = new Tty(10, 6);
    const region = newLiveRegion(tty);
    region.draw(() => ['a', 'b']);
    region.draw(() => ['a', 'b'], ['x'.repeat(25), 'y']);
    expect(tty.screen.all).toEqual(['xxxxxxxxxx', 'xxxxxxxxxx', 'xxxxx', 'y', 'a', 'b']);
    region.end(() => ['a', 'b']);
    expect(tty.screen.all.slice(-3)).toEqual(['y', 'a', 'b']);
  });

  it('takes the wrapped lines away when the terminal becomes narrower', () => {
    const tty = new Tty(30, 12);
    const region = newLiveRegion(tty);
    region.draw(() => ['before'.padEnd(25, '.'), 'second'.padEnd(25, '.')], ['log']);
    tty.resize(10, 12);
    region.draw(() => ['narrow', 'lines']);
    expect(tty.screen.shown).toEqual(['log', 'narrow', 'lines']);
    tty.resize(40, 12);
    region.draw(() => ['wide again', 'lines']);
    expect(tty.screen.shown).toEqual(['log', 'wide again', 'lines']);
  });

  it('shows the last drawing below all that was put above, whatever came before', () => {
    const line = fc
      .string({ unit: fc.constantFrom('a', 'b', ' ', '─'), minLength: 1, maxLength: 11 })
      .map((text) => `${text}|`);
    const drawing = fc.record({ lines: fc.array(line, { maxLength: 6 }), above: fc.array(line, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(drawing, { maxLength: 12 }), fc.array(line, { maxLength: 6 }), (drawings, last) => {
        const tty = new Tty(13, 8);
        const region = newLiveRegion(tty);
        for (const { lines, above } of drawings) region.draw(() => lines, above);
        region.end(() => last);
        expect(tty.screen.all).toEqual([...drawings.flatMap(({ above }) => above), ...last]);
      }),
    );
  });

  it('draws for the size that the terminal has in the end when that changes meanwhile', () => {
    const tty = new Tty(30, 12);
    const region = newLiveRegion(tty);
    const sizes: number[] = [];
    region.draw(({ columns }) => {
      sizes.push(columns);
      if (sizes.length === 1) tty.resize(10, 12);
      return ['─'.repeat(columns - 1), 'end'];
    });
    expect(sizes).toEqual([30, 10]);
    expect(tty.screen.shown).toEqual(['─────────', 'end']);
  });

  it('never becomes lower before its end', () => {
    const tty = new Tty(20, 10);
    const region = newLiveRegion(tty);
    region.draw(() => ['a', 'b', 'c']);
    region.draw(() => ['a']);
    region.draw(() => ['a'], ['log']);
    expect(tty.screen.shown).toEqual(['log', 'a']);
    region.draw(() => ['a', 'b', 'c']);
    expect(tty.screen.shown).toEqual(['log', 'a', 'b', 'c']);
  });
});
