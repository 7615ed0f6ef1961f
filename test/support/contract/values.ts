import fc, { type Arbitrary } from 'fast-check';
import { resolve, type Schema, type Schemas } from './json-schema';

/** Texts that have broken something somewhere: NUL, halves of surrogate pairs, words of languages behind the API, sizes. */
export const strangeTexts: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '\0', 'a\0b', '\ud800', 'x\udfff', '\uffff', '\u202e', 'é', '𝒳', '😀'.repeat(300)],
    ...['null', 'undefined', 'NaN', 'true', '0', '-1', '1e309', '9'.repeat(40), '0x10', '99999999999999999999'],
    ...['__proto__', 'constructor', 'toString', '../../etc/passwd', '%00', '%', '%zz', '..', '.', '/', '\\', ';'],
    ...["'; drop table runs; --", '${{ 1 }}', '${{ tasks.a.output }}', '${{', '*', '{}', '[]', '"', '\n\r\t'],
    ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '7d', '-1s', '1e9d'],
    'x'.repeat(5_000),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

const strangeNumbers = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e21, 1e308, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

/** Any value of JSON, strange ones above all. */
export const strangeValues: Arbitrary<unknown> = fc.oneof(
  strangeTexts,
  strangeNumbers,
  fc.constantFrom(null, true, false, [], {}, [[]], [null], { '': '' }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer({ min: 1, max: 1_500 }).map(nested),
);

function nested(depth: number): unknown {
  let value: unknown = null;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const DEEPEST = 4;

/** Values that fit a schema. */
export function valuesOf(given: Schema, schemas: Schemas, depth = 0): Arbitrary<unknown> {
  const schema = resolve(given, schemas);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...branches(schema.anyOf, schemas, depth));
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  if (types === undefined) return depth > DEEPEST ? fc.constant(null) : fc.jsonValue({ maxDepth: 2 });
  return fc.oneof(...types.map((type) => valuesOfType(type, schema, { schemas, depth })));
}

/** Deep down only what ends there. */
function branches(all: readonly Schema[], schemas: Schemas, depth: number): Arbitrary<unknown>[] {
  const ends = all.filter((branch) => !['object', 'array'].includes(String(resolve(branch, schemas).type)));
  const chosen = depth > DEEPEST && ends.length > 0 ? ends : all;
  return chosen.map((branch) => valuesOf(branch, schemas, depth + 1));
}

interface Within {
  readonly schemas: Schemas;
  readonly depth: number;
}

function valuesOfType(type: string, schema: Schema, within: Within): Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer(range(schema));
    case 'number': {
      const { min, max } = range(schema);
      return fc.double({ min, max, noNaN: true });
    }
    case 'string':
      return textsOf(schema);
    case 'array':
      return listsOf(schema, within);
    case 'object':
      return objectsOf(schema, within);
    default:
      throw new Error(`the test does not know the type "${type}"`);
  }
}

function range({ minimum, maximum, exclusiveMinimum }: Schema): { min: number; max: number } {
  const min = exclusiveMinimum === undefined ? (minimum ?? -1_000) : exclusiveMinimum + 1;
  return { min: Math.max(min, -(2 ** 31)), max: Math.min(maximum ?? 1_000, 2 ** 31 - 1) };
}

function textsOf({ pattern, minLength = 0, maxLength = 60 }: Schema): Arbitrary<string> {
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: '-1' }).filter(fits);
  return fc.string({ minLength, maxLength: Math.min(maxLength, 60) });
}

function listsOf({ items = {}, minItems = 0, maxItems = 3 }: Schema, { schemas, depth }: Within): Arbitrary<unknown> {
  const most = depth > DEEPEST ? minItems : Math.max(minItems, Math.min(maxItems, 3));
  return fc.array(valuesOf(items, schemas, depth + 1), { minLength: minItems, maxLength: most });
}

function objectsOf(schema: Schema, { schemas, depth }: Within): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties: rest } = schema;
  const wanted = Object.entries(properties).filter(([name]) => depth <= DEEPEST || required.includes(name));
  const members = Object.fromEntries(
    wanted.map(([name, member]) => [name, valuesOf(member, schemas, depth + 1)] as const),
  );
  const named = fc.record(members, { requiredKeys: required.filter((name) => name in members) });
  if (typeof rest !== 'object' || depth > DEEPEST) return named;
  const names = schema.propertyNames === undefined ? fc.string() : valuesOf(schema.propertyNames, schemas, depth + 1);
  const more = fc.dictionary(names.map(String), valuesOf(rest, schemas, depth + 1), { maxKeys: 3 });
  return fc.tuple(named, more).map(([own, others]) => ({ ...others, ...own }));
}

/** Values of which one place, anywhere, is not what it was. */
export function broken(values: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc
    .record({
      value: values,
      where: fc.nat(),
      how: fc.constantFrom('replace', 'drop', 'add', 'wrap'),
      by: strangeValues,
    })
    .chain(({ value, where, how, by }) =>
      strangeTexts.map((name) => change(value, { left: where % placesOf(value), how, by, name })),
    );
}

interface Change {
  left: number;
  readonly how: string;
  readonly by: unknown;
  readonly name: string;
}

const membersOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

function placesOf(value: unknown): number {
  return membersOf(value).reduce((sum, [, member]) => sum + placesOf(member), 1);
}

const GONE = Symbol('gone');

/** Walks to the place numbered `left` and changes what is there. */
function change(value: unknown, what: Change): unknown {
  const changed = walk(value, what);
  return changed === GONE ? null : changed;
}

function walk(value: unknown, what: Change): unknown {
  what.left -= 1;
  if (what.left === -1) return changeHere(value, what);
  if (typeof value !== 'object' || value === null) return value;
  const members = membersOf(value).map(([name, member]) => [name, walk(member, what)] as const);
  const kept = members.filter(([, member]) => member !== GONE);
  return Array.isArray(value) ? kept.map(([, member]) => member) : Object.fromEntries(kept);
}

function changeHere(value: unknown, { how, by, name }: Change): unknown {
  switch (how) {
    case 'drop':
      return GONE;
    case 'wrap':
      return [value];
    case 'add':
      return Array.isArray(value) ? [...value, by] : { ...Object(value), [name]: by };
    default:
      return by;
  }
}
