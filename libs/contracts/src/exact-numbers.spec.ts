import fc from 'fast-check';
import { inexactNumber } from './exact-numbers';

test.each([
  ['9007199254740993', '9007199254740993'],
  ['{"a":[1,{"b":-9007199254740993}]}', '-9007199254740993'],
  [`1${'0'.repeat(400)}`, `1${'0'.repeat(400)}`],
  ['[1e400]', '1e400'],
  ['"9007199254740993"', undefined],
  ['{"9007199254740993":"\\"9007199254740993"}', undefined],
  ['9007199254740994', undefined],
  [`1${'0'.repeat(22)}`, undefined],
  ['0.1234567890123456789', undefined],
  ['1e308', undefined],
])('%s', (json, expected) => expect(inexactNumber(json)).toBe(expected));

test.each([
  ['a text of 32 MiB', 'x'.repeat(32 * 1_048_576)],
  ['5,000,000 escapes', '\\n'.repeat(5_000_000)],
  ['escaped quotes and backslashes', '\\"\\\\'.repeat(2_000_000)],
])('%s is passed over', (_name, text) => {
  const json = `{"a":"9007199254740993${text}","b":`;
  expect(inexactNumber(`${json}1}`)).toBeUndefined();
  expect(inexactNumber(`${json}9007199254740993}`)).toBe('9007199254740993');
});

test('whatever JavaScript writes is exact', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => expect(inexactNumber(JSON.stringify(value))).toBeUndefined()));
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      expect(inexactNumber(JSON.stringify([value]))).toBeUndefined(),
    ),
  );
});

test('an integer passes exactly if a double holds it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (value) => {
      const lost = BigInt(Number(value)) !== value;
      // Among those that are lost, the shortest digits of a double stand for that double.
      fc.pre(!lost || String(Number(value)) !== String(value));
      expect(inexactNumber(String(value)) !== undefined).toBe(lost);
    }),
  );
});
