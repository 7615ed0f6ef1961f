import { padEnd, padStart, widthOf } from './text-width';

/** `45 ms`, `1.2 s`, `2 m 05 s`, `1 h 02 m`. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 59_950) return `${(whole / 1_000).toFixed(1)} s`;
  const seconds = Math.round(whole / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** `512 MiB`, `2 GiB`. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  const value = n / 1024 ** power;
  return `${Number.isInteger(value) || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? 'B'}`;
}

/** Milliseconds between two times of the contract; undefined when one is missing. */
export function between(from: string | null | undefined, to: string | null | undefined): number | undefined {
  return from && to ? Date.parse(to) - Date.parse(from) : undefined;
}

export function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0]?.trimEnd() ?? '';
}

/** `1 task`, `3 tasks`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

export interface Column<Row> {
  title: string;
  of: (row: Row) => string;
  align?: 'right';
  /** Colours the cell after it was padded. */
  paint?: (text: string, row: Row) => string;
}

/** Rows below each other in columns as wide as needed; the titles first. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  paintTitle: (text: string) => string,
): string {
  const cells = rows.map((row) => columns.map((column) => column.of(row)));
  const widths = columns.map((column, at) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), column.title.length),
  );
  const pad = (text: string, at: number): string => {
    if (columns[at]?.align === 'right') return padStart(text, widths[at] ?? 0);
    return at === columns.length - 1 ? text : padEnd(text, widths[at] ?? 0);
  };
  const titles = columns.map((column, at) => paintTitle(pad(column.title, at))).join('  ');
  const lines = rows.map((row, n) =>
    columns
      .map((column, at) => {
        const padded = pad(cells[n]?.[at] ?? '', at);
        return column.paint ? column.paint(padded, row) : padded;
      })
      .join('  '),
  );
  return [titles, ...lines].map((line) => line.trimEnd()).join('\n');
}

/** A time of the contract as `2026-12-24 18:00:00`, in UTC. */
export function moment(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}
