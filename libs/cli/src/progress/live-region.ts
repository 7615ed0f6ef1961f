import { stripVTControlCharacters } from 'node:util';
import { widthOf } from '../text-width';
import { sizeOf, type Output, type Size } from '../terminal';

/** The lines for a terminal of this size. None of them may be wider. */
export type Frame = (size: Size) => readonly string[];

/** The last lines of a terminal, redrawn in place. */
export interface LiveRegion {
  /** Shows the lines of the frame; `above` goes over them, to stay. */
  draw(frame: Frame, above?: readonly string[]): void;
  /** Shows the lines for the last time and leaves them there, with the cursor below. */
  end(frame: Frame): void;
}

const ESC = '\u001b[';
const CLEAR_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
/** While somebody draws at the edge of the window. */
const MOST_TRIES = 5;
/** Terminals that know it show what is between in one go; others pass it over. */
const SYNC = [`${ESC}?2026h`, `${ESC}?2026l`] as const;

/**
 * Writes only the lines that have changed, in one write for each drawing: nothing flickers, and a slow connection has little to carry. The region
 * never becomes lower before its end, so that what is below does not jump. After a change of the width the terminal has wrapped the old lines
 * anew: they are counted as it wraps them, taken away, and drawn again.
 */
export function newLiveRegion(output: Output): LiveRegion {
  let shown: string[] = [];
  let size = sizeOf(output);
  let begun = false;
  const showCursor = (): void => void output.write(SHOW_CURSOR);

  const textOf = (lines: readonly string[], above: readonly string[], now: Size): string => {
    const resized = !same(now, size);
    if (resized || above.length > 0) {
      const up = resized ? rowsOf(shown, now.columns) : shown.length;
      return `${upward(up)}${CLEAR_BELOW}${[...above, ...lines].map((line) => `${line}\n`).join('')}`;
    }
    const start = firstDifference(shown, lines);
    if (start === lines.length && lines.length === shown.length) return '';
    const changed = lines.slice(start).map((line, n) => (shown[start + n] === line ? '\n' : `${line}${CLEAR_LINE}\n`));
    return `${upward(shown.length - start)}${changed.join('')}${lines.length < shown.length ? CLEAR_BELOW : ''}`;
  };
  /** What is to be written, for the size that the terminal has when it is written: a frame for another one would stay there in pieces. */
  const render = (frame: Frame, above: readonly string[]): string => {
    for (let tries = 1; ; tries += 1) {
      const now = sizeOf(output);
      const lines = [...frame(now)];
      const text = textOf(lines, above, now);
      if (tries < MOST_TRIES && !same(now, sizeOf(output))) continue;
      size = now;
      shown = lines;
      return text;
    }
  };

  return {
    draw(frame, above = []) {
      const height = shown.length;
      const padded: Frame = (now) => {
        const lines = frame(now);
        const all = [...lines, ...new Array<string>(Math.max(0, height - lines.length)).fill('')];
        return all.slice(0, Math.max(lines.length, now.rows - 1));
      };
      const text = render(padded, above);
      if (text === '') return;
      if (!begun) process.once('exit', showCursor);
      begun = true;
      output.write(`${SYNC[0]}${HIDE_CURSOR}${text}${SYNC[1]}`);
    },
    end(frame) {
      const text = render(frame, []);
      if (text !== '' || begun) output.write(`${text}${SHOW_CURSOR}`);
      process.off('exit', showCursor);
      shown = [];
    },
  };
}

function same(a: Size, b: Size): boolean {
  return a.columns === b.columns && a.rows === b.rows;
}

/** To the begin of the line that is so many above. */
function upward(lines: number): string {
  return lines > 0 ? `${ESC}${lines}A\r` : '\r';
}

function firstDifference(before: readonly string[], after: readonly string[]): number {
  const at = after.findIndex((line, n) => line !== before[n]);
  return at === -1 ? after.length : at;
}

/** Rows that lines take in a terminal of this width. */
function rowsOf(lines: readonly string[], width: number): number {
  const widths = lines.map((line) => widthOf(stripVTControlCharacters(line)));
  return widths.reduce((sum, own) => sum + Math.max(1, Math.ceil(own / Math.max(1, width))), 0);
}
