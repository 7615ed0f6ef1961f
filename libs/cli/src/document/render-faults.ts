import type { Colors } from '../terminal';
import type { LocatedFault } from './locate';

/** All faults, each with its place, message, hint and the line it is about. */
export function renderFaults(faults: readonly LocatedFault[], colors: Colors): string {
  return faults.map((fault) => renderFault(fault, colors)).join('\n\n');
}

function renderFault(fault: LocatedFault, colors: Colors): string {
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
  if (place && fault.excerpt !== undefined) lines.push(...excerpt(fault.excerpt, place, colors));
  if (fault.hint) lines.push(`  ${colors.dim(`hint: ${fault.hint}`)}`);
  return lines.join('\n');
}

const EXCERPT_WIDTH = 100;

function excerpt(text: string, place: { line: number; column: number }, colors: Colors): string[] {
  const from = Math.max(0, place.column - 60);
  const shown = text.slice(from, from + EXCERPT_WIDTH);
  const gutter = `  ${place.line} │ `;
  const caret = `${' '.repeat(gutter.length + place.column - 1 - from)}^`;
  return [colors.dim(`${gutter}${shown}`), colors.red(caret)];
}
