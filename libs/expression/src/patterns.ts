import { RE2JS } from 're2js';

/** Characters of a pattern, and steps that it may be made of. */
const MOST_CHARACTERS = 1_000;
const MOST_STEPS = 10_000;
/** Steps times characters: a look never takes longer than that is worth, some seconds at the very most. */
const MOST_WORK = 1_000_000_000;
const KEPT = 200;

const known = new Map<string, RE2JS>();

/**
 * Whether a part of the text is as the pattern says, in the syntax of RE2, as CEL has it: no look at one is longer than in proportion to
 * the text, whatever the pattern. The expressions of JavaScript take for ever for some, and stop all that the process does. Throws an Error that says
 * what is wrong with the pattern.
 */
export function matchesPattern(text: string, pattern: string): boolean {
  const compiled = compile(pattern);
  if (compiled.programSize() * text.length > MOST_WORK)
    throw new Error(`the pattern is too large for a text of ${text.length} characters`);
  return compiled.matcher(text).find();
}

function compile(pattern: string): RE2JS {
  const before = known.get(pattern);
  if (before !== undefined) return before;
  if (pattern.length > MOST_CHARACTERS) throw new Error(`a pattern has ${MOST_CHARACTERS} characters at most`);
  const compiled = RE2JS.compile(pattern);
  if (compiled.programSize() > MOST_STEPS) throw new Error('the pattern is too large: its repetitions are too many');
  known.set(pattern, compiled);
  const oldest = known.keys().next();
  if (known.size > KEPT && !oldest.done) known.delete(oldest.value);
  return compiled;
}
