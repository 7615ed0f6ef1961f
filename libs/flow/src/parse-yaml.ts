import { LatticeError } from '@lattice/contracts';
import { CORE_SCHEMA, YAMLException, load } from 'js-yaml';

/**
 * The value of a YAML text (core schema: no dates, no merge keys). Throws LatticeError `unparsable` with line and column.
 * Aliases come out as shared objects; {@link unfoldedSize} tells whether they hide a bomb.
 */
export function parseYaml(text: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA }) ?? null;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    const place = mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;
    throw new LatticeError('unparsable', `${reason}${place}`);
  }
}

/** A document with more values than this, aliases unfolded, is refused: real ones have far fewer. */
export const MAX_VALUES = 1_000_000;

/** How many values the unfolded document has; counting ends above the limit. Works without recursion. */
export function unfoldedSize(value: unknown): number {
  let count = 0;
  const todo: unknown[] = [value];
  while (todo.length > 0 && count <= MAX_VALUES) {
    const next = todo.pop();
    count += 1;
    if (typeof next !== 'object' || next === null) continue;
    for (const inner of Array.isArray(next) ? (next as unknown[]) : Object.values(next)) todo.push(inner);
  }
  return count;
}
