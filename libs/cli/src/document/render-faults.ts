import type { Colors } from '../terminal';
import type { LocatedFault } from './locate';

/** All faults, each with its place, message, hint and the line it is about. */
export function renderFaults(faults: readonly LocatedFault[], colors: Colors, columns?: number): string {
  return faults.map((fault) => renderFault(fault, colors, columns)).join('\n\n');
}

function renderFault(fault: LocatedFault, colors: Colors, columns: number | undefined): string {
  const { place, file } = fault;
  const where = place && file ? `${file}:${place.line}:${place.column}` : undefined;
  const pointer = fault.pointer || '/';
  const head = [
    colors.red('✖'),
    colors.bold(where ?? pointer),
    colors.red(fault.code),
    where ? colors.dim(pointer) : '',
  ];
  const lines = [head.filter((part) => part !== '').join(' '), `  ${fault.message}`];
  if (place && fault.excerpt !== undefined) lines.push(...excerpt(fault.excerpt, place, colors, columns));
  if (fault.hint) lines.push(`  ${colors.dim(`hint: ${fault.hint}`)}`);
  return lines.join('\n');
}

const EXCERPT_WIDTH = 100;
/** So much of the line is shown before the place of the fault, at most. */
const BEFORE = 60;

/** The line of a fault, as much of it as fits, with a mark below the place. */
function excerpt(
  text: string,
  place: { line: number; column: number },
  colors: Colors,
  columns: number | undefined,
): string[] {
  const gutter = `  ${place.line} │ `;
  const width = Math.min(EXCERPT_WIDTH, Math.max(20, (columns ?? Infinity) - gutter.length));
  const from = Math.max(0, place.column - Math.min(BEFORE, Math.floor(width / 2)));
  const shown = text.slice(from, from + width);
  const caret = `${' '.repeat(gutter.length + place.column - 1 - from)}^`;
  return [colors.dim(`${gutter}${shown}`), colors.red(caret)];
}
