import { LatticeError, fault, inexactNumber } from '@lattice/contracts';
import { CORE_SCHEMA, YAMLException, intCoreTag, load, mergeTag } from 'js-yaml';

/** What the parser says of a key that comes twice. */
const TWICE = /^duplicated mapping key/;

/** Merge keys (`<<: *anchor`) are understood; integers that would become others are refused. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag, {
  ...intCoreTag,
  resolve(source, isExplicit, tagName) {
    const value = intCoreTag.resolve(source, isExplicit, tagName);
    const inexact = inexactNumber(source);
    if (typeof value === 'number' && inexact !== undefined) throw notExact(inexact);
    return value;
  },
});

/** What is said of a text with a number that would become another one when it is read. */
export function notExact(number: string): LatticeError {
  const message = `The number ${number.slice(0, 40)} can't be held exactly: integers go up to 2^53. Write it as a text`;
  return new LatticeError('unparsable', message, { faults: [fault('number_out_of_range', '', message)] });
}

/**
 * The value of a YAML text (core schema and merge keys; no dates). Throws LatticeError `unparsable` with line and column; a key that
 * comes twice is told as a fault, too.
 * Aliases come out as shared objects; {@link isTooLarge} tells whether they hide a bomb.
 */
export function parseYaml(text: string): unknown {
  try {
    return load(text, { schema: SCHEMA }) ?? null;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    const place = mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;
    const message = `${reason}${place}`;
    throw new LatticeError(
      'unparsable',
      message,
      TWICE.test(reason) ? { faults: [fault('duplicate', '', message)] } : {},
    );
  }
}

/** What a document may come to with its aliases unfolded: as much as a body of the API may hold without any. */
export const MAX_CHARACTERS = 8 * 1_048_576;

/**
 * True when a value is larger than {@link MAX_CHARACTERS} once shared parts are written out: a few aliases are normal, a bomb
 * of them is refused before anything walks through it. Works without recursion, and stops at the limit.
 */
export function isTooLarge(value: unknown): boolean {
  let characters = 0;
  const todo: unknown[] = [value];
  while (todo.length > 0 && characters <= MAX_CHARACTERS) {
    const next = todo.pop();
    characters += typeof next === 'string' ? next.length + 2 : 1;
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) for (const inner of next as unknown[]) todo.push(inner);
    else {
      for (const [key, inner] of Object.entries(next)) {
        characters += key.length + 3;
        todo.push(inner);
      }
    }
  }
  return characters > MAX_CHARACTERS;
}
