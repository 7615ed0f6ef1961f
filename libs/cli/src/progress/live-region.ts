import { stripVTControlCharacters } from 'node:util';
import { widthOf } from '../text-width';
import type { Output } from '../terminal';

/** The last lines of a terminal, redrawn in place. */
export interface LiveRegion {
  /** Shows the lines; `above` goes over them, to stay. None of them may be wider than the terminal. */
  draw(lines: readonly string[], above?: readonly string[]): void;
  /** Shows the lines for the last time and leaves them there, with the cursor below. */
  end(lines: readonly string[]): void;
}

const ESC = '\u001b[';
const CLEAR_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
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

  const render = (lines: readonly string[], above: readonly string[]): string => {
    const now = sizeOf(output);
    const resized = now.columns !== size.columns || now.rows !== size.rows;
    size = now;
    const before = shown;
    shown = [...lines];
    if (resized || above.length > 0) {
      const up = resized ? rowsOf(before, now.columns) : before.length;
      return `${upward(up)}${CLEAR_BELOW}${[...above, ...lines].map((line) => `${line}\n`).join('')}`;
    }
    const start = firstDifference(before, lines);
    if (start === lines.length && lines.length === before.length) return '';
    const changed = lines.slice(start).map((line, n) => (before[start + n] === line ? '\n' : `${line}${CLEAR_LINE}\n`));
    return `${upward(before.length - start)}${changed.join('')}${lines.length < before.length ? CLEAR_BELOW : ''}`;
  };

  return {
    draw(lines, above = []) {
      const padded = [...lines, ...new Array<string>(Math.max(0, shown.length - lines.length)).fill('')];
      const fits = padded.slice(0, Math.max(lines.length, sizeOf(output).rows - 1));
      const text = render(fits, above);
      if (text === '') return;
      if (!begun) process.once('exit', showCursor);
      begun = true;
      output.write(`${SYNC[0]}${HIDE_CURSOR}${text}${SYNC[1]}`);
    },
    end(lines) {
      const text = render(lines, []);
      if (text !== '' || begun) output.write(`${text}${SHOW_CURSOR}`);
      process.off('exit', showCursor);
      shown = [];
    },
  };
}

function sizeOf({ columns = 80, rows = 24 }: Output): { columns: number; rows: number } {
  return { columns, rows };
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
