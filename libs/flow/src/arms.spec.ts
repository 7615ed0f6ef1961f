import fc from 'fast-check';
import { readDocument } from './workflow';

const task = (needs: string[] = []) => ({ uses: 'handler/noop', needs });
const route = (cases: Record<string, string[]>) => ({ uses: 'switch', with: { on: '${{ 1 }}', cases } });

function joinsOf(tasks: Record<string, unknown>): Record<string, readonly (readonly string[])[]> {
  const read = readDocument({ name: 'w', tasks });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return Object.fromEntries([...read.workflow.tasks.values()].map(({ key, joins }) => [key, joins]));
}

test('a join is where arms come together that have nothing in common', () => {
  const joins = joinsOf({
    s: route({ a: ['a1', 'both'], b: ['b1', 'both'] }),
    a1: task(),
    a2: task(['a1']),
    b1: task(),
    both: task(),
    // Within one arm.
    inner: task(['a1', 'a2']),
    // `both` lies in either arm: with a1 it is no join.
    mixed: task(['a1', 'both']),
    join: task(['a2', 'b1']),
    // Behind the join the switch is over.
    behind: task(['join', 'a1']),
  });
  expect(joins).toMatchObject({ inner: [], mixed: [], join: [['a2', 'b1']], behind: [] });
});

test('switches within arms are told apart', () => {
  const joins = joinsOf({
    s: route({ a: ['t'], b: ['b1'] }),
    t: route({ x: ['x1'], y: ['y1'] }),
    x1: task(),
    y1: task(),
    b1: task(),
    inner: task(['x1', 'y1']),
    outer: task(['inner', 'b1']),
    all: task(['x1', 'y1', 'b1']),
  });
  expect(joins['inner']).toEqual([['x1', 'y1']]);
  expect(joins['outer']).toEqual([['b1', 'inner']]);
  expect(joins['all']).toHaveLength(2);
});

test('two of three arms may come together before the third does', () => {
  const joins = joinsOf({
    s: route({ a: ['a1'], b: ['b1'], c: ['c1'] }),
    a1: task(),
    b1: task(),
    c1: task(),
    some: task(['a1', 'b1']),
    behind: task(['some']),
    all: task(['behind', 'c1']),
    over: task(['all', 'a1']),
  });
  expect(joins).toMatchObject({ some: [['a1', 'b1']], behind: [], all: [['behind', 'c1']], over: [] });
});

test('an arm that is not in the document is a fault of the switch, and a switch in its own arm is a cycle', () => {
  const read = readDocument({ name: 'w', tasks: { s: route({ a: ['nowhere', 's'] }), x: task() } });
  expect(read.ok ? [] : read.faults.map(({ code, pointer }) => [code, pointer])).toEqual(
    expect.arrayContaining([
      ['unknown_dependency', '/tasks/s/with'],
      ['cycle', '/tasks/s'],
    ]),
  );
});

test('without a switch nothing is marked', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 30 }), (needs) => {
      const tasks = Object.fromEntries(needs.map((need, at) => [`t${at}`, task(at === 0 ? [] : [`t${need % at}`])]));
      if (needs.length === 0) return;
      expect(Object.values(joinsOf(tasks)).flat()).toEqual([]);
    }),
  );
});
