import { evaluateTemplate, parseTemplate, type Scope, type TemplateFault } from './template';
import { matchesPattern } from './patterns';

const hostile = `${'a'.repeat(50)}!`;
const scope: Scope = { inputs: { hostile, name: 'web-3' }, tasks: {}, run: { id: 'r', workflow: 'w' } };

function value(expression: string): unknown {
  const faults: TemplateFault[] = [];
  const template = parseTemplate(`\${{ ${expression} }}`, faults);
  expect(faults).toEqual([]);
  return evaluateTemplate(template, scope);
}

// The expressions of JavaScript take some years for this text.
it.each([
  "inputs.hostile.matches('^(a+)+$')",
  "[inputs.hostile].exists(each, each.matches('^(a|aa)+$'))",
  "inputs.hostile.matches('^(a+)+$') ? 1 : 'none' == 'some'",
  "has(inputs.hostile) && inputs.hostile.matches('(.*a){20}$')",
])('no pattern takes for ever: %s', (expression) => expect(value(expression)).toBe(false));

it('patterns find a part of the text, unless they say where', () => {
  expect(value("inputs.name.matches('[0-9]')")).toBe(true);
  expect(value("inputs.name.matches('^[0-9]')")).toBe(false);
  expect(value("inputs.name.matches(r'^\\w+-\\d$')")).toBe(true);
  expect(value("'Web'.matches('(?i)^web$')")).toBe(true);
});

it('says what is wrong with a pattern, or a call, in the words of the expression', () => {
  expect(() => value("inputs.name.matches('(')")).toThrow(/missing closing \)/);
  expect(() => value("inputs.name.matches('a(?=b)')")).toThrow(/unsupported/);
  expect(() => value('inputs.name.matches(inputs)')).toThrow(/string\.matches\(/);
  const faults: TemplateFault[] = [];
  parseTemplate("${{ 3.matches('3') }}", faults);
  expect(faults.map(({ error }) => error.code)).toEqual(['bad_expression']);
  expect(faults[0]?.error.message).toContain("'int.matches(string)'");
});

it('refuses patterns that are large beyond reason, by themselves and for a text', () => {
  expect(() => matchesPattern('a', 'a'.repeat(1_001))).toThrow('1000 characters');
  expect(() => matchesPattern('a', '(?:a{1000}){1}'.repeat(11))).toThrow('too large');
  expect(() => matchesPattern('a'.repeat(1_000_000), 'a{999}b{999}')).toThrow('too large for a text of 1000000');
});
