import { toJson } from '../runners/json-output.cjs';

function* iterate(): Generator<number> {
  yield 1;
}

const cases: [string, unknown, object][] = [
  ['undefined', undefined, { json: 'null' }],
  ['an undefined property', { a: undefined, b: 1 }, { json: '{"b":1}' }],
  ['a date', { at: new Date(0) }, { json: '{"at":"1970-01-01T00:00:00.000Z"}' }],
  ['a repeated object that is no cycle', [Object.freeze({ a: 1 }), 2], { json: '[{"a":1},2]' }],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { json: '{"a":1}' }],
  ['a buffer, by its toJSON', Buffer.from('a'), { json: '{"type":"Buffer","data":[97]}' }],
  ['a BigInt', { a: 1n }, { fault: '$.a is a BigInt; return it as a string' }],
  ['a symbol', [Symbol('x')], { fault: '$[0] is a symbol' }],
  ['a function', () => 1, { fault: '$ is a function' }],
  ['a promise', { a: Promise.resolve(1) }, { fault: '$.a is a promise; await it' }],
  ['a map', { a: new Map() }, { fault: '$.a is a Map, which JSON does not have; convert it, e.g. with Array.from' }],
  ['a generator', iterate(), { fault: '$ is a generator or iterator; collect its values, e.g. with Array.from' }],
  [
    'an iterator',
    { a: new Map().keys() },
    { fault: '$.a is a generator or iterator; collect its values, e.g. with Array.from' },
  ],
  ['an error', [new Error('x')], { fault: '$[0] is a Error, which JSON does not have' }],
  ['infinity', { 'a-b': -Infinity }, { fault: '$["a-b"] is -Infinity, which JSON does not have' }],
];

it.each(cases)('%s', (_, value, expected) => expect(toJson(value)).toEqual(expected));

it('the same object twice is no cycle', () => {
  const shared = { x: 1 };
  expect(toJson({ a: shared, b: [shared] })).toEqual({ json: '{"a":{"x":1},"b":[{"x":1}]}' });
});

it('a toJSON that throws is reported', () => {
  const value = {
    toJSON() {
      throw new Error('not now');
    },
  };
  expect(toJson(value)).toEqual({ fault: '$ could not be turned into JSON: not now' });
});

it('nesting without end is reported', () => {
  let value: unknown[] = [];
  for (let i = 0; i < 100_000; i++) value = [value];
  expect(toJson(value)).toEqual({ fault: '$ is nested too deeply or too large for JSON' });
});
