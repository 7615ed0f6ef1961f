import fc from 'fast-check';
import { NOOP, edgesOf, faultsOf, fileOf, imported, task } from '../../test/wfformat';

describe('the graph', () => {
  it('has the edges of parents and children together, and tells those that one side names', () => {
    const result = imported(fileOf([task('a', [], ['b']), task('b', []), task('c', ['a', 'b']), task('d', ['c'], [])]));
    expect(edgesOf(result)).toEqual(['a -> b', 'a -> c', 'b -> c', 'c -> d']);
    expect(result.notes).toContainEqual(expect.stringMatching(/^4 dependencies are named by one/));
    const both = imported(fileOf([task('a', [], ['b']), task('b', ['a', 'a'])]));
    expect(both.notes.join()).not.toContain('named by one');
  });

  const ids = fc.uniqueArray(
    fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '_', '-', '.', '#', '1'), minLength: 1, maxLength: 4 }),
      fc.constantFrom('in', '__proto__', 'constructor', 'toString', 'a b', '/'),
    ),
    { minLength: 1, maxLength: 30 },
  );
  const graphs = ids.chain((tasks) =>
    fc.record({
      tasks: fc.constant(tasks),
      shuffled: fc.shuffledSubarray(tasks, { minLength: tasks.length, maxLength: tasks.length }),
      edges: fc.array(
        fc.record({ from: fc.nat(), to: fc.nat(), named: fc.constantFrom('parents', 'children', 'both') }),
        { maxLength: tasks.length === 1 ? 0 : 80 },
      ),
    }),
  );

  it('is that of the file under `keys`, for any DAG', () => {
    fc.assert(
      fc.property(graphs, ({ tasks, shuffled, edges }) => {
        const made = new Map(tasks.map((id) => [id, { parents: [] as string[], children: [] as string[] }]));
        const expected = new Set<string>();
        for (const { from, to, named } of edges) {
          // Of two positions the lower one is the parent: no cycle.
          const a = tasks[Math.min(from % tasks.length, to % tasks.length)] ?? '';
          const b = tasks[Math.max(from % tasks.length, to % tasks.length)] ?? '';
          if (a === b) continue;
          if (named !== 'children') made.get(b)?.parents.push(a);
          if (named !== 'parents') made.get(a)?.children.push(b);
          expected.add(JSON.stringify([a, b]));
        }
        const result = imported(fileOf(shuffled.map((id) => ({ name: id, id, ...made.get(id) }))));
        const keyOf = (id: string): string => (Object.hasOwn(result.keys, id) ? (result.keys[id] ?? '') : id);
        expect(Object.keys(result.workflow.tasks)).toEqual(shuffled.map(keyOf));
        const under = [...expected].map((edge) => {
          const [a, b] = JSON.parse(edge) as [string, string];
          return `${keyOf(a)} -> ${keyOf(b)}`;
        });
        expect(edgesOf(result).sort()).toEqual(under.sort());
        expect(Object.entries(result.keys).every(([id, key]) => id !== key && made.has(id))).toBe(true);
      }),
    );
  });

  it('tells unknown parents and children, each with its place', () => {
    const faults = faultsOf(fileOf([task('a', ['x'], ['y']), task('b', ['a', 'x', 'x'])]));
    expect(faults.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'unknown_dependency /workflow/specification/tasks/0/parents/0',
      'unknown_dependency /workflow/specification/tasks/1/parents/1',
      'unknown_dependency /workflow/specification/tasks/0/children/0',
    ]);
    expect(faults[0]?.message).toBe('task "a" has the parent "x", which is not in the file');
  });

  it('tells a cycle, from parent to child', () => {
    const chain = [task('before', [], ['a-1']), task('a-1', ['c']), task('b', ['a-1']), task('c', ['b'], ['after'])];
    const [cycle, ...others] = faultsOf(fileOf([...chain, task('after')]));
    expect(others).toEqual([]);
    expect(cycle?.code).toBe('cycle');
    expect(['a-1 -> b -> c -> a-1', 'b -> c -> a-1 -> b', 'c -> a-1 -> b -> c']).toContain(
      cycle?.message.replace('the tasks form a cycle: ', ''),
    );
    expect(faultsOf(fileOf([task('a', ['a'])]))).toMatchObject([
      { code: 'cycle', message: expect.stringMatching(/a -> a$/) as string },
    ]);
    const ring = Array.from({ length: 10_000 }, (_, index) => task(`t${index}`, [`t${(index + 1) % 10_000}`]));
    expect(faultsOf(fileOf(ring))[0]?.message).toMatch(/-> \.\.\. \(10000 tasks\)$/);
  });

  it('refuses an id given twice, but takes names given twice', () => {
    expect(faultsOf(fileOf([task('a'), task('b'), task('a')]))).toMatchObject([
      { code: 'duplicate', pointer: '/workflow/specification/tasks/2/id' },
    ]);
    const twins = [
      { ...task('x_1'), name: 'x' },
      { ...task('x_2', ['x_1']), name: 'x' },
    ];
    expect(edgesOf(imported(fileOf(twins)))).toEqual(['x_1 -> x_2']);
    expect(faultsOf(fileOf([...twins, task('y', ['x'])]))).toMatchObject([
      {
        code: 'unknown_dependency',
        message: 'task "y" has the parent "x", which is the name of several tasks: give an id',
      },
    ]);
  });

  it('passes over empty texts, which the schema allows, and missing lists', () => {
    const result = imported(fileOf([{ name: 'a', id: 'a' }, task('b', ['', 'a'], [''])]));
    expect(edgesOf(result)).toEqual(['a -> b']);
    expect(result.notes).toContain('2 of the parents and children are empty texts, which name no task: passed over.');
  });
});

describe('tasks', () => {
  const execution = {
    makespanInSeconds: 10,
    executedAt: '2023-03-27T22:38:56-10:00',
    tasks: [
      {
        id: 'a-1',
        runtimeInSeconds: 2.5004,
        command: { program: 'sh', arguments: ['-c', 'echo ${{ inputs.x }}'] },
        coreCount: 2,
        memoryInBytes: 1000,
        priority: 20,
        machines: ['m1'],
        unheardOf: { kept: [1] },
      },
      { id: 'gone', runtimeInSeconds: 1 },
      { id: 'a-1', runtimeInSeconds: 2.5 },
    ],
    machines: [{ nodeName: 'm1', cpu: { coreCount: 48 } }],
  };

  it('sleep for the recorded time times the scale, in one source', () => {
    const file = fileOf([task('a-1'), task('b', ['a-1'])], {
      execution: { ...execution, tasks: execution.tasks.slice(0, 1) },
    });
    const { workflow, notes, keys } = imported(file, { body: 'sleep', scale: 0.1 });
    expect(keys).toEqual({ 'a-1': 'a_1' });
    expect(workflow.tasks['a_1']).toMatchObject({ uses: 'code', with: { language: 'javascript', input: 250 } });
    expect(workflow.tasks['b']).toMatchObject({ needs: ['a_1'], with: { input: 0 } });
    expect(notes).toContain('The recorded programs are not run: each task waits its recorded run time times 0.1.');
    expect(notes).toContain('1 task is without a recorded run time: the wait is 0.');
    expect(notes).toContain('1 task is not in the execution: b.');
  });

  it('keep what was recorded as metadata, texts that look like expressions too', () => {
    const { workflow, notes } = imported(
      fileOf([{ ...task('a-1'), category: 'x' }], { execution: { ...execution, tasks: execution.tasks.slice(0, 2) } }),
    );
    expect(workflow.tasks['a_1']?.metadata).toEqual({ id: 'a-1', category: 'x', ...execution.tasks[0] });
    expect(workflow.metadata).toMatchObject({ execution: { makespanInSeconds: 10, machines: [{ nodeName: 'm1' }] } });
    expect(notes).toContain(
      'Kept as metadata of tasks, without effect on where, when or how they run: category, command, coreCount, machines, memoryInBytes, priority, runtimeInSeconds, unheardOf.',
    );
    expect(notes).toContain('1 machine is described in the metadata of the workflow; no task is bound to one.');
    expect(notes).toContain('The execution records tasks that are not in the workflow, left out: gone.');
  });

  it('take the last of several records', () => {
    const { workflow, notes } = imported(fileOf([task('a-1')], { execution }), { body: 'sleep', scale: 1 });
    expect(workflow.tasks['a_1']).toMatchObject({ with: { input: 2500 } });
    expect(notes).toContain('The execution records tasks more than once, the last is kept: a-1.');
  });

  it('do nothing, or use a handler', () => {
    const file = fileOf([task('a-1')], { execution });
    expect(imported(file).workflow.tasks['a_1']).toMatchObject({ uses: 'transform' });
    expect(imported(file, { ...NOOP, handler: 'noop' }).workflow.tasks['a_1']).toMatchObject({ uses: 'handler/noop' });
    expect(imported(file, { ...NOOP, handler: 'noop' }).workflow.tasks['a_1']).not.toHaveProperty('with');
    const sleeping = imported(file, { body: 'sleep', scale: 2, handler: 'nap' });
    expect(sleeping.workflow.tasks['a_1']).toMatchObject({ uses: 'handler/nap', with: 5000 });
    expect(sleeping.notes[0]).toMatch(/times 2 in handler\/nap\.$/);
  });

  it('that would wait longer than a timer can are faults; a negative time is none', () => {
    const lasting = (runtimeInSeconds: number): unknown =>
      fileOf([task('a')], { execution: { tasks: [{ id: 'a', runtimeInSeconds }] } });
    expect(faultsOf(lasting(3e6), { body: 'sleep', scale: 1 })).toMatchObject([
      { code: 'bad_value', hint: 'Give a smaller scale.' },
    ]);
    expect(faultsOf(lasting(3e6), { body: 'sleep', scale: 0.5 })).toEqual([]);
    expect(imported(lasting(-1), { body: 'sleep', scale: 1 }).workflow.tasks['a']).toMatchObject({
      with: { input: 0 },
    });
  });

  it('do not exchange files, and the notes say so', () => {
    const a = { ...task('a'), outputFiles: ['x.txt', 'y.txt'] };
    const b = { ...task('b'), inputFiles: ['x.txt'] };
    const file = fileOf([a, b]);
    const sized = { ...file, workflow: { specification: { tasks: [a, b], files: [{ id: 'x.txt', sizeInBytes: 7 }] } } };
    expect(imported(sized).notes).toContain(
      'Data files are not carried over: 1 inputs and 2 outputs of tasks (1 described, 7 bytes). Only the order of tasks is kept.',
    );
    expect(imported(file).notes).toContain(
      'No task names parents or children, though 1 task reads files that another writes: that order is not kept.',
    );
    expect(imported(file).notes).toContain('The file has no execution: run times, commands and machines are unknown.');
  });
});

describe('names and versions', () => {
  it('makes the name of the workflow legal', () => {
    const named = (name: string): string => imported({ ...fileOf([task('a')]), name }).workflow.name;
    expect(named('chain-5-0.6.json')).toBe('chain-5-0.6.json');
    expect(named('My workflow: run #1!')).toBe('My-workflow-run-1');
    expect(named('流れ')).toBe('imported');
    expect(named('x'.repeat(300))).toHaveLength(128);
  });

  it('tells another version, and takes a description', () => {
    const { workflow, notes } = imported({
      ...fileOf([task('a')]),
      schemaVersion: 9,
      description: 'text',
      author: { name: 'n' },
    });
    expect(notes).toContain('The file names version 9 of WfFormat: read as 1.5.');
    expect(workflow).toMatchObject({ description: 'text', metadata: { author: { name: 'n' } } });
  });

  it('takes the layout of 1.4, where parents are names', () => {
    const older = {
      name: 'older',
      schemaVersion: '1.4',
      wms: { name: 'Pegasus' },
      workflow: {
        makespanInSeconds: 1,
        machines: [{ nodeName: 'm' }],
        tasks: [
          {
            name: 'split_ID01',
            id: 'ID01',
            type: 'compute',
            runtimeInSeconds: 1,
            parents: [],
            cores: 1,
            files: [{ link: 'output', name: 'f', sizeInBytes: 3 }],
          },
          {
            name: 'join_ID02',
            id: 'ID02',
            type: 'compute',
            runtime: 2,
            parents: ['split_ID01'],
            files: [{ link: 'input', name: 'f' }],
          },
        ],
      },
    };
    const result = imported(older, { body: 'sleep', scale: 1 });
    expect(edgesOf(result)).toEqual(['ID01 -> ID02']);
    expect(result.workflow.tasks['ID02']).toMatchObject({
      with: { input: 2000 },
      metadata: { name: 'join_ID02', runtime: 2 },
    });
    expect(result.workflow.metadata).toMatchObject({ wms: { name: 'Pegasus' }, workflow: { makespanInSeconds: 1 } });
    expect(result.notes).toContain('The file has the layout from before WfFormat 1.5 (it names version 1.4).');
    expect(result.notes).toContain('1 of the parents and children are given by name instead of id.');
    expect(result.notes).toContain('1 machine is described in the metadata of the workflow; no task is bound to one.');
    expect(result.notes).toContainEqual(
      expect.stringMatching(/^Data files are not carried over: 1 inputs and 1 outputs/),
    );
  });

  it('takes the layout of 1.0, where tasks are jobs and have no id', () => {
    const jobs = [
      { name: 'a', runtime: 1, parents: [] },
      { name: 'b', runtime: 1, parents: ['a'] },
    ];
    const result = imported({ name: 'old', schemaVersion: '1.0', workflow: { jobs } });
    expect(edgesOf(result)).toEqual(['a -> b']);
    expect(result.notes).toContain('2 tasks are without an id: the name is taken for it.');
  });
});
