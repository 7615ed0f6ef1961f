import { documentSchema } from '@lattice/contracts';
import { evaluateTemplate, parseTemplate, type Scope, type TemplateFault } from '@lattice/expression';
import fc from 'fast-check';
import { cel, createWorkflow, handler, text, z } from '../index';
import { referenceTo } from './reference';
import { templateOf } from './template';

function evaluate(template: unknown, scope: Partial<Scope>): unknown {
  const faults: TemplateFault[] = [];
  const parsed = parseTemplate(template, faults);
  if (faults[0] !== undefined) throw faults[0].error;
  return evaluateTemplate(parsed, { inputs: {}, tasks: {}, run: { id: 'r' }, ...scope });
}

const load = handler({
  name: 'load',
  inputs: { file: z.string(), limit: z.number().default(10) },
  outputs: { rows: z.array(z.object({ name: z.string(), cents: z.number() })), total: z.number() },
});
const report = handler({
  name: 'report.make',
  inputs: z.object({ title: z.string(), rows: z.array(z.object({ name: z.string() })) }),
  outputs: z.string(),
  retry: { maxAttempts: 2 },
  timeout: '5s',
});

describe('createWorkflow', () => {
  it('makes a document: references are dependencies, defaults and types of inputs are declared', () => {
    const workflow = createWorkflow('orders', {
      inputs: { file: z.string().describe('CSV'), title: z.string().optional(), limit: z.number().int().default(5) },
    });
    const loaded = workflow.add(load, { file: workflow.inputs.file, limit: workflow.inputs.limit });
    const made = workflow.add(
      report,
      { title: text`rows of ${workflow.inputs.file}: ${loaded.output.total}`, rows: loaded.output.rows },
      { if: '${{ true }}' },
    );
    const document = workflow.returns({ text: made.output, first: loaded.output.rows[0].name }).toDocument();
    expect(documentSchema.parse(document)).toEqual({
      name: 'orders',
      inputs: {
        file: { type: 'string', required: true, description: 'CSV' },
        title: { type: 'string', required: false },
        limit: { type: 'integer', required: false, default: 5 },
      },
      tasks: {
        load: {
          uses: 'handler/load',
          with: { input: { file: '${{ inputs.file }}', limit: '${{ inputs.limit }}' } },
        },
        report_make: {
          uses: 'handler/report.make',
          with: {
            input: {
              title: '${{ "rows of " + string(inputs.file) + ": " + string(tasks.load.output.total) }}',
              rows: '${{ tasks.load.output.rows }}',
            },
          },
          if: '${{ true }}',
          retry: { maxAttempts: 2, initialDelay: '1s', factor: 2, maxDelay: '60s', jitter: false },
          timeout: '5s',
        },
      },
      outputs: { text: '${{ tasks.report_make.output }}', first: '${{ tasks.load.output.rows[0].name }}' },
    });
  });

  it('carries batch, and takes the name of the function where none is given', () => {
    const workflow = createWorkflow('batches', { inputs: { text: z.string() } });
    const embed = handler(
      { inputs: { text: z.string() }, batch: { size: 32, key: '${{ inputs.text }}' } },
      function embed_all() {
        return 1;
      },
    );
    workflow.add(embed, { text: workflow.inputs.text });
    expect(documentSchema.parse(workflow.toDocument()).tasks).toEqual({
      embed_all: {
        uses: 'handler/embed_all',
        with: { input: { text: '${{ inputs.text }}' } },
        batch: { size: 32, timeout: '50ms', key: '${{ inputs.text }}' },
      },
    });
    expect(() => handler({}, () => 1)).toThrow(/a task has a name/);
    expect(() => handler({})).toThrow(/a task has a name/);
  });

  it('makes conditions and values of references with cel, and refuses a reference in a plain text', () => {
    const workflow = createWorkflow('conditions', { inputs: { least: z.number(), title: z.string() } });
    const { output } = workflow.add(load, { file: 'a' });
    const named = text`of ${workflow.inputs.title}`;
    const many = cel`size(${output.rows}) > ${workflow.inputs.least} && ${output.rows[0].name} != ${'"x"'}`;
    workflow.add(report, { title: named, rows: output.rows }, { key: 'report', if: many });
    const half = cel<number>`${output.total} / 2.0`;
    const { tasks, outputs } = workflow
      .returns({ half, both: cel`${many} || ${named} == ${'of nothing'}` })
      .toDocument();
    expect(tasks['report']?.if).toBe(
      '${{ (size(tasks.load.output.rows) > inputs.least && (tasks.load.output.rows[0].name) != "\\"x\\"") }}',
    );
    expect(outputs).toEqual({
      half: '${{ (tasks.load.output.total / 2.0) }}',
      both: `\${{ (${String(tasks['report']?.if).slice(4, -3)} || ("of " + string(inputs.title)) == "of nothing") }}`,
    });
    // eslint-disable-next-line @typescript-eslint/restrict-template-expressions -- what must not pass unseen
    expect(() => workflow.add(load, { file: `${output.total}.csv` })).toThrow(
      /tasks.load.output.total has no value before/,
    );
  });

  it('gives a task that comes twice another key, and refuses a key that is taken', () => {
    const workflow = createWorkflow('twice');
    expect(workflow.add(load, { file: 'a' }).key).toBe('load');
    expect(workflow.add(load, { file: 'b' }).key).toBe('load_2');
    expect(() => workflow.add(load, { file: 'b' }, { key: 'load' })).toThrow(/has a task "load" already/);
    expect(() => workflow.add(load, { file: 'b' }, { key: 'in' })).toThrow(/may not name a task/);
    expect(() => createWorkflow('a b')).toThrow(/not a workflow name/);
  });

  it('refuses what is not JSON, with its place', () => {
    const workflow = createWorkflow('bad');
    const any = handler({ name: 'any', inputs: z.any() });
    expect(() => workflow.add(any, { a: [1, new Map()], f: () => 1, n: NaN })).toThrow(
      '/tasks/any/with/a/1 is a Map, not a JSON value; /tasks/any/with/f is a function, not a JSON value; /tasks/any/with/n is NaN',
    );
  });

  it('waits for tasks that pass no data, of this workflow only', () => {
    const workflow = createWorkflow('after');
    const first = workflow.add(load, { file: 'a' });
    workflow.add(load, { file: 'b' }, { needs: [first], trigger: 'all-done' });
    expect(workflow.toDocument().tasks['load_2']).toMatchObject({ needs: ['load'], trigger: 'all-done' });
    expect(() => createWorkflow('other').add(load, { file: 'a' }, { needs: [first] })).toThrow(
      '"load" is not in other',
    );
  });
});

describe('what is given to a task', () => {
  it('is of the same workflow: a reference to another is refused, within a text and a condition too', () => {
    const [one, other] = [createWorkflow('one'), createWorkflow('other')];
    const there = one.add(load, { file: 'a' });
    const here = other.add(load, { file: 'a' });
    const refused = (place: string) => `${place} refers to`;
    const named = 'tasks.load.output.total of another workflow, "one"';
    expect(() => other.add(load, { file: 'b', limit: there.output.total })).toThrow(`/limit refers to ${named}`);
    const file = text`${here.output.total} of ${there.output.total}`;
    expect(() => other.add(load, { file })).toThrow(refused('/tasks/load_2/with/file'));
    const ready = there.output.rows[0].name;
    expect(() => other.returns({ deep: [{ ready }] })).toThrow(refused('/outputs/deep/0/ready'));
    const flag = one.add(handler({ name: 'flag', outputs: z.boolean() }));
    expect(() => other.add(load, { file: 'b' }, { if: flag.output })).toThrow(refused('/tasks/load_2/if'));
    expect(Object.keys(other.toDocument().tasks)).toEqual(['load']);
    // What `returns` gives is the same workflow.
    const typed = other.returns({ total: here.output.total });
    expect(typed.add(load, { file: 'c', limit: here.output.total }).key).toBe('load_2');
  });

  it('is all that it needs, as far as can be seen', () => {
    const workflow = createWorkflow('missing', { inputs: { whole: z.object({ file: z.string() }) } });
    const untyped: { file: string } = JSON.parse('{"title":"x"}');
    expect(() => workflow.add(load, untyped)).toThrow('"load" is given no file');
    expect(() => workflow.add(report, JSON.parse('{}'))).toThrow('"report_make" is given no title, rows');
    expect(workflow.add(load, workflow.inputs.whole).key).toBe('load');
  });
});

describe('templates', () => {
  it('leave any JSON value as it is, whatever it looks like', () => {
    const pieces = fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', '"', '\\') });
    const value = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(pieces, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('json'),
          { maxKeys: 3, noNullPrototype: true },
        ),
      ),
    })).json;
    fc.assert(fc.property(value, (json) => expect(evaluate(templateOf(json, []), {})).toEqual(json)));
  });

  it('find a field of any name by its reference', () => {
    const key = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('in', 'a b', 'x-y', '"', 'then', 'toJSON'));
    fc.assert(
      fc.property(
        key.filter((name) => !/^\d+$/.test(name) && name !== '__proto__'),
        (name) => {
          const root = referenceTo<Record<string, number>>('inputs.root');
          const template = templateOf({ x: root[name] }, []);
          expect(evaluate(template, { inputs: { root: { [name]: 7 } } })).toEqual({ x: 7 });
        },
      ),
    );
  });
});
