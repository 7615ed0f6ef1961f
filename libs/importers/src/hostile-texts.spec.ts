import { importCodomyrmex, importStation, type Imported } from './index';

const MANY = 400_000;
const REFERENCES = 100_000;
/** Far more than linear time takes, and far less than any other. */
const LIMIT_MS = 15_000;

/** Nothing that is not asynchronous can be stopped by Jest. */
function inTime<T>(act: () => T): T {
  const start = performance.now();
  const result = act();
  expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  return result;
}

function notesOf(result: Imported): readonly string[] {
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.notes;
}

describe('codomyrmex', () => {
  const steps = (texts: readonly string[]) => [{ name: 'a', module: 'm', action: 'b', parameters: { texts } }];

  it.each([
    ['spaces in a reference', `{{${' '.repeat(MANY)}`],
    ['dollars before a reference', `${'$'.repeat(MANY)}x{{ b }}`],
    ['brackets', '{{ a '.repeat(MANY)],
  ])('takes linear time for many %s', (_name, text) => {
    notesOf(inTime(() => importCodomyrmex({ name: 'x', steps: steps([text]) })));
  });

  it('finds many steps with dots for many references, and of two the longer name', () => {
    const names = Array.from({ length: 9_000 }, (_, index) => `step.${index}`);
    const given = [...names, 'step.1.more'].map((name) => ({ name, module: 'm', action: 'b' }));
    const references = '{{ step.8999.output }}'.repeat(REFERENCES);
    const texts = ['{{ step.1.more.output.x }}', '{{ step.1.output.x }}', references];
    const result = inTime(() => importCodomyrmex({ name: 'x', steps: [...steps(texts), ...given] }));
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    const { with: parameters } = Object(result.workflow.tasks['a']);
    expect(parameters.texts.slice(0, 2)).toEqual(['${{ tasks.step_1_more.output.x }}', '${{ tasks.step_1.output.x }}']);
    expect(parameters.texts[2].length).toBeGreaterThan(REFERENCES);
  });
});

describe('station', () => {
  const file = (state: Record<string, unknown>) => ({ id: 'x', states: [{ id: 'a', ...state }] });

  it.each([
    ['fields in a path', { type: 'inject', data: { text: `$${'.a'.repeat(5_000_000)}` } }],
    ['fields in a name', { type: 'inject', data: { text: `\${a${'.a'.repeat(5_000_000)}}` } }],
    ['letters in a text of a program', { type: 'transform', expression: `f("${'x'.repeat(10_000_000)}")` }],
    ['fields in a program', { type: 'transform', expression: `f(a${'.a'.repeat(5_000_000)})` }],
    ['quotes in a program', { type: 'transform', expression: `f("${'\\"'.repeat(MANY)})` }],
  ])('takes linear time, and no depth, for many %s', (_name, state) => {
    notesOf(inTime(() => importStation(file(state))));
  });

  it('names what a program asks the context for, and not what its texts and comments say', () => {
    const program = 'def f(): # b.c\n  return "d.e" + ctx.input.f + \'g\\\'.h\' + i.j("k")\n';
    const result = importStation({
      ...file({ type: 'transform', expression: program }),
      inputSchema: { properties: { f: {}, b: {}, d: {}, g: {}, i: {}, k: {} } },
    });
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    const { with: parameters } = Object(result.workflow.tasks['a']);
    expect(Object.keys(parameters.context)).toEqual(['f', 'i']);
  });
});
