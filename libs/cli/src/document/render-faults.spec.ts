import { createColors } from 'picocolors';
import { fault } from '@lattice/contracts';
import { locateFaults } from './locate';
import { renderFaults } from './render-faults';

const text = `name: hello
tasks:
  greet: { uses: code }
  left:
    uses: code
    needs: [greet, rigth]
    "od~d/key": 1
`;

async function places(...pointers: string[]): Promise<(string | undefined)[]> {
  const located = await locateFaults(
    pointers.map((pointer) => fault('bad_value', pointer, 'wrong')),
    text,
  );
  return located.map(({ place }) => place && `${place.line}:${place.column}`);
}

describe('locateFaults', () => {
  it('finds keys, items of lists, flow maps and escaped keys', async () => {
    expect(await places('/tasks/left/needs/1', '/tasks/greet/uses', '/tasks/left', '/tasks/left/od~0d~1key')).toEqual([
      '6:20',
      '3:12',
      '4:3',
      '7:5',
    ]);
  });

  it('gives what should hold a missing thing', async () => {
    expect(await places('/tasks/greet/with', '/nothing/at/all', '')).toEqual(['3:3', '1:1', '1:1']);
  });

  it('finds the lines of JSON too, and nothing in an empty text', async () => {
    const json = '{\n  "name": "x",\n  "tasks": { "a": { "uses": "no" } }\n}';
    expect((await locateFaults([fault('unknown_uses', '/tasks/a/uses', 'no')], json))[0]?.place).toEqual({
      line: 3,
      column: 21,
    });
    expect((await locateFaults([fault('no_tasks', '', 'none')], ''))[0]?.place).toBeUndefined();
  });
});

describe('renderFaults', () => {
  it('shows place, code, pointer, message, line and hint of each fault', async () => {
    const faults = [
      fault('unknown_dependency', '/tasks/left/needs/1', 'there is no task "rigth"'),
      fault('bad_value', '/inputs/x', 'too large', 'Take less.'),
    ];
    const [first, second] = await locateFaults(faults, text);
    if (!first || !second) throw new Error('two faults');
    expect(renderFaults([{ ...first, file: 'a.yaml' }, faults[1] ?? second], createColors(false)).split('\n')).toEqual([
      '✖ a.yaml:6:20 unknown_dependency /tasks/left/needs/1',
      '  there is no task "rigth"',
      '  6 │     needs: [greet, rigth]',
      '                         ^',
      '  hint: Name a task of this document.',
      '',
      '✖ /inputs/x bad_value',
      '  too large',
      '  hint: Take less.',
    ]);
  });
});
