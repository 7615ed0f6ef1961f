import fc from 'fast-check';
import { evaluateTemplate, parseTemplate, type Scope, type TemplateFault } from './template';

const long = Array.from({ length: 20_000 }, (_, n) => n);

function value(expression: string, inputs: Scope['inputs'] = { long }): unknown {
  const faults: TemplateFault[] = [];
  const template = parseTemplate(`\${{ ${expression} }}`, faults);
  expect(faults).toEqual([]);
  return evaluateTemplate(template, { inputs, tasks: {}, run: { id: 'r', workflow: 'w' } });
}

// Each has 400 million rounds, which took half a minute, and the first all memory.
it.each([
  'inputs.long.map(a, inputs.long.map(b, a + b))',
  'inputs.long.map(a, inputs.long.filter(b, a > b).size())',
  'inputs.long.exists(a, inputs.long.exists(b, a + b < 0))',
  'inputs.long.all(a, inputs.long.exists_one(b, a == b))',
  'inputs.long.filter(a, inputs.long.map(b, b > 0, a).size() > 0).size()',
  'inputs.long.map(a, a > 0 ? inputs.long.map(b, [a, b]) : "none")',
])('a loop within a loop ends in time: %s', (expression) => {
  const start = performance.now();
  expect(() => value(expression)).toThrow(expect.objectContaining({ code: 'expression_failed' }));
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(() => value(expression)).toThrow(/it takes longer than 1 s|more than 2000000 rounds/);
  // The next one has all its time.
  expect(value('inputs.long.map(a, a + 1).size()')).toBe(20_000);
});

it('few rounds that take long end in time, too', () => {
  const words = Array.from({ length: 300 }, () => 'a'.repeat(100_000));
  const start = performance.now();
  expect(() => value("inputs.words.map(a, inputs.words.map(b, b.matches('^(a|aa|aaa)+$')))", { words })).toThrow(
    'it takes longer than 1 s',
  );
  expect(performance.now() - start).toBeLessThan(10_000);
});

it('loops say what they said, in all their forms', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 40 }), (list) => {
      const inputs = { list };
      const positive = (n: number): boolean => n > 0;
      expect(value('inputs.list.map(x, x * 2)', inputs)).toEqual(list.map((n) => n * 2 + 0));
      expect(value('inputs.list.map(x, x > 0, x * 2)', inputs)).toEqual(list.filter(positive).map((n) => n * 2));
      expect(value('inputs.list.filter(x, x > 0)', inputs)).toEqual(list.filter(positive));
      expect(value('inputs.list.all(x, x > 0)', inputs)).toBe(list.every(positive));
      expect(value('inputs.list.exists(x, x > 0)', inputs)).toBe(list.some(positive));
      expect(value('inputs.list.exists_one(x, x > 0)', inputs)).toBe(list.filter(positive).length === 1);
      // A quantifier passes over an error where another element decides.
      expect(value('inputs.list.exists(x, 1 / x > 0) || true', inputs)).toBe(true);
      expect(value('[1, 2].map(x, x * 2) + [3]', inputs)).toEqual([2, 4, 3]);
      expect(value('inputs.list.map(x, x > 0 ? 1 : "none").size()', inputs)).toBe(list.length);
    }),
  );
});
