import fc from 'fast-check';
import {
  evaluateTemplate,
  parseCondition,
  parseTemplate,
  templateReferences,
  type Scope,
  type TemplateFault,
} from './index';

const scope: Scope = {
  inputs: { who: 'world', n: 2, x: 1.5, list: [1, 2, 3], big: 2 ** 53, text: 'a"b\u0000\ud800' },
  tasks: {
    a: { status: 'completed', output: { text: 'hi', nested: [{ y: 7 }], nothing: null } },
    b: { status: 'skipped', output: null },
  },
  run: { id: 'r1' },
};

function value(source: unknown): unknown {
  const faults: TemplateFault[] = [];
  const template = parseTemplate(source, faults);
  if (faults[0] !== undefined) throw faults[0].error;
  return evaluateTemplate(template, scope);
}

test.each<[unknown, unknown]>([
  ['plain', 'plain'],
  ['${{ inputs.n }}', 2],
  ['${{ 1 == 1.0 }}', true],
  ['${{ 1.5 != 1 }}', true],
  ['${{ inputs.n == 2.0 && inputs.x == 1.5 }}', true],
  ['n=${{ inputs.n }}!', 'n=2!'],
  ['${{ inputs.n + 1 }}', 3],
  ['${{ inputs.n + inputs.x }}', 3.5],
  ['${{ inputs.x * 2 }}', 3],
  ['${{ 7 / 2 }}', 3],
  ['${{ inputs.list.map(x, x * 2) }}', [2, 4, 6]],
  ['${{ size(inputs.list) }}', 3],
  ['${{ tasks.a.output.nested[0].y }}', 7],
  ['${{ tasks["a"].output.text + "!" }}', 'hi!'],
  ['${{ tasks.a.output.nothing }}', null],
  ['${{ {"a": {"b": inputs.n}} }}', { a: { b: 2 } }],
  ['${{ "}}" + inputs.who }}', '}}world'],
  ['$${{ not }}', '${{ not }}'],
  [
    { list: ['$${{ not }}'], open: '$${{' },
    { list: ['${{ not }}'], open: '${{' },
  ],
  ['${{ inputs.text }}', 'a"b\u0000\ud800'],
  ['list ${{ inputs.list }}', 'list [1,2,3]'],
  [
    { deep: [{ x: '${{ run.id }}' }], same: 1 },
    { deep: [{ x: 'r1' }], same: 1 },
  ],
  ['${{ tasks.b.status == "skipped" && inputs.n > 1 }}', true],
  ['${{ inputs.n > 1 ? 1 : "none" }}', 1],
  ['${{ inputs.n > 2 ? "many" : null }}', null],
  ['${{ inputs.n > 2 ? 1 : inputs.n > 1 ? 1.5 : "none" }}', 1.5],
  ['${{ [1, 2].map(x, x > 1 ? {"x": x} : [(x) + 1]) }}', [[2], { x: 2 }]],
])('%j evaluates to %j', (source, expected) => {
  expect(value(source)).toEqual(expected);
});

test.each([
  ['${{ inputs.missing }}', 'expression_failed'],
  ['${{ tasks.a.output.toString }}', 'expression_failed'],
  ['${{ inputs.big + 1 }}', 'number_out_of_range'],
  ['${{ 9007199254740991 * 9007199254740991 }}', 'number_out_of_range'],
  ['${{ -9223372036854775807 - 2 }}', 'number_out_of_range'],
  ['${{ 9007199254740991 + 1 }}', 'number_out_of_range'],
  ['${{ 1 / 0 }}', 'expression_failed'],
  ['${{ 1.0 / 0.0 }}', 'expression_failed'],
  ['${{ "a" + 1 }}', 'bad_expression'],
  ['${{ inputs. }}', 'bad_expression'],
  ['${{ nobody.x }}', 'unreachable_reference'],
  ['${{ 1 + ', 'bad_expression'],
  ['${{ tasks[inputs.who].output }}', 'unreachable_reference'],
  ['${{ tasks.a.outputs }}', 'unreachable_reference'],
  ['${{ tasks.a[0] }}', 'unreachable_reference'],
  ['${{ true ? nobody : 1 }}', 'unreachable_reference'],
  ['${{ true ? "a" : 1 + "b" }}', 'bad_expression'],
])('%j fails with %s', (source, code) => {
  expect(() => value(source)).toThrow(expect.objectContaining({ code }));
});

test('references are found anywhere, with the tasks whose status is asked for', () => {
  const faults: TemplateFault[] = [];
  const found = templateReferences(
    parseTemplate({ a: ['x ${{ tasks.one.output.y }}'], b: '${{ has(tasks.two.output.z) }}' }, faults),
  );
  expect([...found.tasks]).toEqual(['one', 'two']);
  const condition = templateReferences(parseCondition('tasks.three.status == "failed"', faults));
  expect([...condition.statusOf]).toEqual(['three']);
  expect(faults).toEqual([]);
});

test('any JSON value without an expression is handed on as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      fc.pre(!JSON.stringify(json).includes('${{'));
      expect(value(json)).toEqual(json);
    }),
  );
});

test('a plain path hands on any JSON value unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const template = parseTemplate('${{ tasks.t.output.v }}', []);
      expect(
        evaluateTemplate(template, { ...scope, tasks: { t: { status: 'completed', output: { v: json } } } }),
      ).toEqual(json);
    }),
  );
});
