import { LatticeError } from '@lattice/contracts';
import { parseJsonBody } from './parse-json';

function refusal(text: string): string {
  try {
    parseJsonBody(text);
  } catch (error) {
    if (error instanceof LatticeError && error.code === 'unparsable') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('parseJsonBody', () => {
  it.each([
    ['{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}'],
    ['["a", "a", {"k": "a"}, {"k": "k"}]'],
    ['{"a": "\\"a\\": 1, \\\\", "b": "{[{["}'],
    ['{"\\u0061b": 1, "b": 2}'],
    ['"text"'],
    ['[[]]'],
    ['{}'],
  ])('takes %s as the parser does', (text) => {
    expect(parseJsonBody(text)).toEqual(JSON.parse(text));
  });

  it('refuses a key that comes twice, with its place, also when it is written otherwise', () => {
    expect(refusal('{"tasks": {\n  "a": 1, "b": 2,\n  "a": 3}}')).toBe('Duplicate key "a" in JSON (line 3, column 3)');
    expect(refusal('{"a": 1, "\\u0061": 2}')).toContain('Duplicate key "a"');
    expect(refusal('{"a": {"x": 1}, "b": [{}], "a" : 2}')).toContain('Duplicate key "a"');
  });

  it('refuses a number that would become another one', () => {
    expect(refusal('{"a": [9007199254740993]}')).toContain('9007199254740993');
    expect(refusal('{"a": 1e400}')).toContain('1e400');
    expect(parseJsonBody('{"a": "9007199254740993", "b": 9007199254740992}')).toEqual({
      a: '9007199254740993',
      b: 2 ** 53,
    });
  });

  it('refuses what nests too deeply, without parsing it', () => {
    expect(refusal('['.repeat(100_000))).toContain('nests more than 110 levels');
    expect(refusal(`${'{"a":'.repeat(111)}1${'}'.repeat(111)}`)).toContain('nests more than 110 levels');
    expect(parseJsonBody(`${'['.repeat(110)}${']'.repeat(110)}`)).toHaveLength(1);
  });

  it.each([['{"a": 1,}'], ['{"a": "'], [''], ['{"a": \\"'], ['nul'], ['{"a" "b"}'], ['{"a":1}}'], ['\u0000']])(
    'refuses %j, which is no JSON',
    (text) => {
      expect(refusal(text)).not.toBe('');
    },
  );
});
