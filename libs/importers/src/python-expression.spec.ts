import { evaluateTemplate, parseTemplate } from '@lattice/expression';
import fc from 'fast-check';
import { templateOf } from './cel-text';
import { toCel } from './python-expression';
import type { NameOf } from './python-names';

const INPUTS = {
  n: 7,
  text: 'a timeout',
  list: [1, 2, 3],
  pods: [{ name: 'a', status: 'Error' }, { name: 'b' }],
  object: { x: 1, none: null, 'a-b': 2 },
};

/** `maybe` is a name that is not always there. */
const nameOf: NameOf = ([first = '', second]) => {
  if (first === 'ctx' && second === 'maybe') return { cel: 'inputs.object.none', used: 2, given: 'false' };
  if (first === 'ctx' && second !== undefined) return { cel: `inputs.${second}`, used: 2 };
  return Object.hasOwn(INPUTS, first) ? { cel: `inputs.${first}`, used: 1 } : undefined;
};

function valueOf(text: string): unknown {
  const cel = toCel(text, nameOf, { dashed: false });
  if (cel === undefined) return 'unsaid';
  const template = parseTemplate(`\${{ ${cel} }}`, []);
  return evaluateTemplate(template, { inputs: INPUTS, tasks: {}, run: {} });
}

it.each([
  ['n / 2', 3.5],
  ['n % 4 + 2 * (n - 1)', 15],
  ["'out' in text and 'x' not in text", true],
  ['2 in list and 9 not in list', true],
  ['n in [7, 8] or n is None', true],
  ["'yes' if n > 5 else 3", 'yes'],
  ["{'a': [n, None], 'b': True}", { a: [7, null], b: true }],
  ["[p.name for p in pods if p.get('status') == 'Error']", ['a']],
  ["len([p for p in pods if hasattr(p, 'status')])", 1],
  ["[{'x': i, 'text': str(i) + '!'} for i in [i for i in list if i > 1] if i != 3]", [{ x: 2, text: '2!' }]],
  ["getattr(object, 'y', 5) + object.get('x', 9)", 6],
  ["pods[0].get('name').upper().startswith('A')", true],
  ["object['a-b'] + list[1] + list[-1]", 7],
  ["hasattr(object, 'a-b')", true],
  ["getattr(ctx, 'maybe', 'other')", 'other'],
  ["hasattr(ctx, 'n') and not hasattr(ctx, 'maybe')", true],
  ["ctx.get('n', 0)", 7],
  // Nothing of these is guessed at.
  ['1 < n < 9', 'unsaid'],
  ['n // 2', 'unsaid'],
  ['list[1:]', 'unsaid'],
  ['sum(list)', 'unsaid'],
  ['other + 1', 'unsaid'],
  ["1 + 'a'", 'unsaid'],
  ['[a for a, b in list]', 'unsaid'],
  ['[inputs for inputs in list]', 'unsaid'],
  ['', 'unsaid'],
])('%s', (text, value) => {
  expect(valueOf(text)).toEqual(value);
});

it('says things in CEL or not at all, whatever is written', () => {
  const words = fc.constantFrom(
    ...['n', 'text', 'list', 'a', 'if', 'else', 'for', 'in', 'not', 'and', 'or', 'is', 'None', 'get', 'hasattr', 'len'],
    ...['(', ')', '[', ']', '{', '}', ',', ':', '.', '-', '+', '/', '==', '<', '1', '2.5', "'x'", '"\\n"', '# ', '\n'],
  );
  const texts = fc.oneof(
    fc.array(words, { maxLength: 20 }).map((parts) => parts.join(' ')),
    fc.string(),
    fc.constantFrom(
      '('.repeat(10_000),
      '-'.repeat(100_000),
      'not '.repeat(10_000) + 'n',
      '1 if n else '.repeat(5_000) + '1',
    ),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const cel = toCel(text, nameOf);
      if (cel === undefined) return;
      const faults: unknown[] = [];
      parseTemplate(`\${{ ${cel} }}`, faults as []);
      expect(faults).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

it('makes texts of pieces that read as they were', () => {
  const plain = fc.array(fc.constantFrom('$', '{{', '}}', "'", 'a', ' ')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, fc.constant(7))), (parts) => {
      const text = templateOf(parts.map((part) => (typeof part === 'number' ? { cel: 'inputs.n' } : { text: part })));
      const value = evaluateTemplate(parseTemplate(text, []), { inputs: INPUTS, tasks: {}, run: {} });
      expect(String(value)).toBe(parts.join(''));
    }),
  );
});
