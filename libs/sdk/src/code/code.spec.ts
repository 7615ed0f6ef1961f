import { parseExpressionAt } from 'acorn';
import fc from 'fast-check';
import { z } from 'zod';
import { checkValue } from './check-value';
import { escapeExpressions } from './escape-expressions';
import { freeNames } from './free-names';
import { neededOf, parseModule } from './module-names';
import { portableSchema } from './portable-schema';

const free = (source: string): string[] =>
  [...freeNames(parseExpressionAt(`(${source})`, 1, { ecmaVersion: 'latest', sourceType: 'module' })).names].sort();

test.each<[string, string[]]>([
  ['(a, { b, c: [d = e], ...f }) => a + b + d + f', ['e']],
  ['() => { const x = 1; { let y = x; } return y; }', ['y']],
  ['() => { if (a) { var v = 1 } return v }', ['a']],
  ['() => { for (const i of xs) i; for (let j = 0; j < n; j++) j; return i }', ['i', 'n', 'xs']],
  ['function f(n) { return n && f(n - 1) + arguments.length }', []],
  ['() => { try { go() } catch (error) { error } finally { error } }', ['error', 'go']],
  ['() => ({ a: b, [c]: 1, d, e() { return f } }).g.h?.[i]', ['b', 'c', 'd', 'f', 'i']],
  ['() => { class A extends B { x = y; static { z } m() { return A } } return new A() }', ['B', 'y', 'z']],
  ['() => { label: for (;;) { continue label } }', []],
  ['() => { switch (a) { case 1: let q = 2; default: return q } }', ['a']],
  ['() => { inner(); function inner() { return own } var own }', []],
  ['() => { [x, { y: z.w }] = p; }', ['p', 'x', 'z']],
  ['() => `${a} ${(b) => b + c}`', ['a', 'c']],
])('finds what %s takes from around it', (source, names) => {
  expect(free(source)).toEqual(names);
});

test('a file gives what a function needs of it, and that in turn, in its order', () => {
  const source = `import one, { two as zwei, three } from './x.js';
import * as all from 'all';
export const limit = 1 + base;
const base = zwei * 2;
function unused() { return all; }
const { a, b } = { a: limit, b: 2 };
export async function helper() { return helper2() + a; }
const helper2 = () => one;
start();`;
  expect(neededOf(parseModule(source), source, { names: ['helper', 'console'], text: '() => helper()' })).toEqual({
    statements: [
      "import one from './x.js';",
      "import { two as zwei } from './x.js';",
      'const limit = 1 + base;',
      'const base = zwei * 2;',
      'const { a, b } = { a: limit, b: 2 };',
      'async function helper() { return helper2() + a; }',
      'const helper2 = () => one;',
    ],
    faults: [],
  });
});

test('what does not travel is named, each once', () => {
  const source = `const db = new Client();
const wrapped = { db };
let n = 0;
const now = Date.now();
const env = process.env.HOME;`;
  const { faults } = neededOf(parseModule(source), source, {
    names: ['wrapped', 'n', 'now', 'env', 'nope'],
    text: 'x',
  });
  expect(faults).toEqual([
    expect.stringContaining('uses `n`, a `let`'),
    expect.stringContaining('uses `now`, which is made by `Date.now()`'),
    expect.stringContaining('uses `env`, which is made by `process.env.HOME`'),
    expect.stringContaining('uses `nope`, which the file does not declare'),
    expect.stringContaining('uses `db`, which is made by `new Client()`'),
  ]);
});

test('code without the beginning of an expression means the same', () => {
  const pieces = fc.array(fc.constantFrom('$', '{', '${{', '}', 'a', "\\'", '\\\\', ' '), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = JSON.stringify(parts.join(''));
      const source = `(() => [${text}, \`\${{ a: ${text} }.a}\`, /\\$\\{\\{/.source.length])()`;
      const escaped = escapeExpressions(source);
      expect(escaped).not.toContain('${{');
      const evaluate = (code: string): unknown => (0, eval)(code);
      expect(evaluate(escaped)).toEqual(evaluate(source));
    }),
  );
});

describe('checkValue', () => {
  const schema = z.object({
    name: z.string().min(1).max(5),
    kind: z.enum(['a', 'b']).default('a'),
    size: z.number().int().positive().optional(),
    either: z.union([z.string(), z.array(z.number())]).nullable(),
    map: z.record(z.string(), z.object({ x: z.boolean() })),
    pair: z.tuple([z.string(), z.number()]),
    strict: z.strictObject({ only: z.literal(3) }).optional(),
  });
  const portable = portableSchema(schema);
  const json = 'json' in portable ? portable.json : {};

  it('agrees with zod on what fits, and gives the same value', () => {
    const value = fc.record(
      {
        name: fc.oneof(fc.string({ maxLength: 7 }), fc.integer()),
        kind: fc.constantFrom('a', 'b', 'c'),
        size: fc.oneof(fc.integer({ min: -2, max: 5 }), fc.constant(1.5)),
        either: fc.oneof(fc.string(), fc.constant(null), fc.array(fc.oneof(fc.integer(), fc.constant('x')))),
        map: fc.dictionary(fc.constantFrom('p', 'q'), fc.record({ x: fc.oneof(fc.boolean(), fc.constant(0)) }), {
          noNullPrototype: true,
        }),
        pair: fc.oneof(fc.tuple(fc.string(), fc.integer()), fc.constant([1, 1])),
        strict: fc.oneof(fc.constant({ only: 3 }), fc.constant({ only: 3, more: 1 }), fc.constant({ only: 4 })),
      },
      { requiredKeys: ['name', 'either', 'map', 'pair'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(value, (given) => {
        const zod = schema.safeParse(given);
        const own = checkValue(json, given);
        expect({ given, fits: own.faults.length === 0 }).toEqual({ given, fits: zod.success });
        if (zod.success) expect(own.value).toEqual(zod.data);
      }),
    );
  });

  it('says where and why', () => {
    expect(checkValue(json, { name: '', either: null, map: { p: { x: 1 } }, pair: ['a', 'b'] }).faults).toEqual([
      '$.name: must have a length of at least 1',
      '$.map.p.x: expected boolean, got integer',
      '$.pair[1]: expected number, got string',
    ]);
    expect(checkValue(json, { name: 'a' }).faults).toEqual([
      '$: missing field "either"',
      '$: missing field "map"',
      '$: missing field "pair"',
    ]);
  });

  it('follows schemas that refer to themselves', () => {
    const tree: z.ZodType = z.object({
      value: z.number(),
      get children() {
        return z.array(tree);
      },
    });
    const written = portableSchema(tree);
    const root = 'json' in written ? written.json : {};
    expect(checkValue(root, { value: 1, children: [{ value: 2, children: [] }] }).faults).toEqual([]);
    expect(checkValue(root, { value: 1, children: [{ value: 'x', children: [] }] }).faults).toEqual([
      '$.children[0].value: expected number, got string',
    ]);
  });

  it('is told of schemas that are code', () => {
    expect(portableSchema(z.string().transform((text) => text.length))).toHaveProperty('fault');
    expect(portableSchema({ at: z.date() })).toHaveProperty('fault');
  });
});
