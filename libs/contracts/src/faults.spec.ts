import { z } from 'zod';
import { durationSchema } from './duration';
import { faultsOf } from './faults';

const COLOURS = z.enum(['red', 'green']);

/** What is said of a value, as `code pointer message`. */
function said(schema: z.ZodType, value: unknown): string[] {
  const { error } = z.object({ it: schema }).safeParse({ it: value });
  return (error === undefined ? [] : faultsOf(error)).map(
    ({ code, pointer, message }) => `${code} ${pointer} ${message}`,
  );
}

const oneOrMany = z.union([COLOURS.transform((colour) => [colour]), z.array(COLOURS)]);
const allowed = 'Invalid option: expected one of "red"|"green"';

test.each<[string, z.ZodType, unknown, string[]]>([
  ['a value that is none of those allowed', oneOrMany, 'blue', [`bad_value /it ${allowed}`]],
  ['one of a list', oneOrMany, ['red', 'blue'], [`bad_value /it/1 ${allowed}`]],
  ['a pattern', z.union([z.string().regex(/^a/, 'no a'), z.array(z.string())]), 'b', ['bad_value /it no a']],
  [
    'a branch with a code of its own',
    z.union([durationSchema, z.iso.datetime()]),
    'soon',
    ['bad_duration /it not a duration: write a number and a unit, for instance 500ms, 30s, 5m, 2h or 7d'],
  ],
  [
    'the branch that lacks least',
    z.union([z.strictObject({ a: z.string(), n: z.int() }), z.strictObject({ b: z.string(), n: z.int() })]),
    { b: 'x', n: 1.5 },
    ['bad_type /it/n expected int, received number'],
  ],
  ['a number out of range', z.union([z.boolean(), z.number().max(1, 'above 1')]), 2, ['bad_value /it above 1']],
  ['none of the types', z.union([z.boolean(), z.number()]), 'x', ['bad_type /it expected boolean or number']],
  ['two branches of the type', z.union([z.iso.date(), z.iso.datetime()], 'no time'), 'x', ['bad_type /it no time']],
  [
    'a union within a union, of other types',
    z.union([z.union([z.boolean(), z.number()]), z.string().max(1, 'too long')]),
    'xy',
    ['bad_value /it too long'],
  ],
])('%s', (_name, schema, value, expected) => {
  expect(said(schema, value)).toEqual(expected);
});
