import { compile, readDocument } from '@lattice/flow';
import fc from 'fast-check';
import { NOOP, edgesOf, faultsOf, fileOf, imported, task } from '../../test/wfformat';
import { importWfFormat, type ImportOptions } from '../index';

/** What a function gives, and the processor time it took. */
function timed<T>(work: () => T): { result: T; ms: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1_000 };
}

describe('hostile files', () => {
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  it.each<[string, unknown, string[]]>([
    ['null', null, ['bad_type ']],
    ['a text', 'x', ['bad_type ']],
    ['a list', [], ['bad_type ']],
    ['nothing', {}, ['missing_field /name', 'missing_field /workflow']],
    ['no specification', { name: 'x', workflow: {} }, ['missing_field /workflow/specification']],
    ['no task list', { name: 'x', workflow: { specification: {} } }, ['missing_field /workflow/specification/tasks']],
    ['no task', fileOf([]), ['no_tasks /workflow/specification/tasks']],
    [
      'tasks that are none',
      fileOf([1, null]),
      ['bad_type /workflow/specification/tasks/0', 'bad_type /workflow/specification/tasks/1'],
    ],
    ['a task without id', fileOf([{ parents: [] }]), ['missing_field /workflow/specification/tasks/0/id']],
    [
      'an empty id',
      fileOf([task('')]),
      ['bad_value /workflow/specification/tasks/0/id', 'bad_value /workflow/specification/tasks/0/name'],
    ],
    [
      'parents that are none',
      fileOf([{ ...task('a'), parents: 'b' }]),
      ['bad_type /workflow/specification/tasks/0/parents'],
    ],
    [
      'parents that are numbers',
      fileOf([{ ...task('a'), parents: Array(100_000).fill(1) }]),
      ['bad_type /workflow/specification/tasks/0/parents'],
    ],
    ['too many tasks', fileOf(Array(1_000_000).fill(1)), ['too_many_tasks /workflow/specification/tasks']],
    [
      'too many records',
      fileOf([task('a')], { execution: { tasks: Array(1_000_000).fill(1) } }),
      ['too_many_tasks /workflow/execution/tasks'],
    ],
    [
      'a time that is a text',
      fileOf([task('a')], { execution: { tasks: [{ id: 'a', runtimeInSeconds: '1' }] } }),
      ['bad_type /workflow/execution/tasks/0/runtimeInSeconds'],
    ],
    [
      'an endless time',
      fileOf([task('a')], { execution: { tasks: [{ id: 'a', runtimeInSeconds: JSON.parse('1e999') as number }] } }),
      ['bad_type /workflow/execution/tasks/0/runtimeInSeconds'],
    ],
    [
      'fields nested without end',
      fileOf([{ ...task('a'), deep: nested(50_000) }]),
      ['bad_value /workflow/specification/tasks/0'],
    ],
    ['a file nested without end', { ...fileOf([task('a')]), deep: nested(50_000) }, ['bad_value ']],
    [
      '__proto__ as field',
      fileOf([JSON.parse('{"id":"a","name":"a","x":{"__proto__":{"polluted":1}}}')]),
      ['unknown_field /workflow/specification/tasks/0'],
    ],
  ])('are refused: %s', (_, value, expected) => {
    expect(faultsOf(value).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected);
    expect({}).not.toHaveProperty('polluted');
  });

  it('are refused with a bounded number of faults', () => {
    const strangers = Array.from({ length: 200_000 }, (_, index) => `x${index}`);
    const faults = faultsOf(fileOf([task('a', strangers)]));
    expect(faults).toHaveLength(1_001);
    expect(faults.at(-1)?.message).toBe('and 199000 faults more');
  });

  it('never make it throw, whatever they hold', () => {
    const ids = fc.constantFrom<unknown>('a', 'b', 'in', '', 1, null);
    const lists = fc.oneof(fc.array(ids, { maxLength: 3 }), fc.constantFrom(undefined, null, 'a'));
    const anyTask = fc.record(
      { id: ids, name: ids, parents: lists, children: lists, inputFiles: lists },
      { requiredKeys: [] },
    );
    const file = fc.record({
      name: fc.constantFrom<unknown>('x', '', 1, 'a b'),
      schemaVersion: fc.constantFrom<unknown>('1.5', 1, null, {}),
      workflow: fc.record(
        {
          specification: fc.record({
            tasks: fc.array(fc.oneof(anyTask, fc.jsonValue()), { maxLength: 4 }),
            files: lists,
          }),
          execution: fc.oneof(fc.record({ tasks: fc.array(anyTask), machines: lists }), fc.jsonValue()),
          tasks: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(
        fc.oneof(file, fc.jsonValue()),
        fc.constantFrom(NOOP, { body: 'sleep' as const, scale: 1 }),
        (value, options) => {
          const result = importWfFormat(value, options);
          if (result.ok) expect(readDocument(result.workflow).ok).toBe(true);
          else expect(result.faults.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('size', () => {
  /** Layers of 100 tasks; each waits for three of the layer before. */
  function layered(count: number, argument: string): { file: unknown; edges: number } {
    const parentsOf = (index: number): string[] =>
      index < 100 ? [] : [0, 1, 2].map((step) => `mProject.${index - 100 - (index % 100) + ((index + step) % 100)}`);
    const tasks = Array.from({ length: count }, (_, index) => task(`mProject.${index}`, parentsOf(index)));
    const records = tasks.map(({ id }) => ({
      id,
      runtimeInSeconds: 1.5,
      command: { program: 'mProject', arguments: [argument] },
      machines: ['m'],
    }));
    return { file: fileOf(tasks, { execution: { tasks: records } }), edges: (count - 100) * 3 };
  }

  it('of thousands of tasks takes little more than reading the document that comes out', () => {
    const { file, edges } = layered(3_000, '-X');
    const options: ImportOptions = { body: 'sleep', scale: 0.001 };
    const { workflow } = imported(file, options);
    // Compared to work of the same size at the same time, so that it does not matter how busy the machine is.
    const reading = timed(() => readDocument(workflow));
    const importing = timed(() => importWfFormat(file, options));
    expect(importing.ms).toBeLessThan(5 * reading.ms);
    if (!importing.result.ok || !reading.result.ok) throw new Error('valid');
    expect(edgesOf(importing.result)).toHaveLength(edges);
    expect(compile(reading.result.workflow).segments.length).toBeGreaterThan(0);
  });

  it('is made to fit into a request by leaving out metadata, and the notes say so', () => {
    const long = imported(layered(4_000, 'x'.repeat(2_500)).file);
    expect(long.notes.at(-1)).toMatch(/^Arguments of commands are left out/);
    expect(long.workflow.tasks['mProject_0']?.metadata).toMatchObject({ command: { program: 'mProject' } });
    expect(JSON.stringify(long.workflow).length).toBeLessThan(8 * 1_048_576);
    const programs = Array.from({ length: 9 }, (_, index) => task(`t${index}`));
    const records = programs.map(({ id }) => ({ id, command: { program: 'x'.repeat(1_000_000) } }));
    const bare = imported(fileOf(programs, { execution: { tasks: records } }));
    expect(bare.notes.at(-1)).toMatch(/^The metadata of tasks is left out/);
    expect(bare.workflow.tasks['t0']).not.toHaveProperty('metadata');
  });
});
