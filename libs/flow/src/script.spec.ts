import { readDocument } from './workflow';

function read(task: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return readDocument({ name: 'w', tasks: { a: { uses: 'script', ...task } }, ...more });
}
function faultsOf(...parts: Parameters<typeof read>): string[] {
  const result = read(...parts);
  return result.ok ? [] : result.faults.map(({ code, pointer }) => `${code} ${pointer}`);
}
function definitionOf(...parts: Parameters<typeof read>) {
  const result = read(...parts);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.workflow.tasks.get('a');
}

describe('a script in a document', () => {
  it('has a class of its own, and the level asked for', () => {
    const body = { path: 'a.sh', args: ['-n', 3, true, '${{ inputs.x }}'], allowExit: [0, 3], input: { a: 1 } };
    expect(definitionOf({ with: body, env: { A: '1' } }, { inputs: { x: {} } })).toMatchObject({
      uses: 'script',
      class: { name: 'script', uses: 'script', need: { cpu: 0.25 } },
      level: undefined,
    });
    expect(definitionOf({ with: { path: 'a.sh' }, sandbox: 'seccomp' })?.level).toBe('seccomp');
    expect(definitionOf({ with: { path: 'a.sh' } }, { defaults: { sandbox: 'seccomp' } })?.level).toBe('seccomp');
  });

  it('with an image is of level docker', () => {
    const body = { path: 'a.sh', image: 'i' };
    expect(definitionOf({ with: body })?.level).toBe('docker');
    expect(definitionOf({ with: body }, { defaults: { sandbox: 'seccomp' } })?.level).toBe('docker');
  });

  it('may hold secrets in its environment alone', () => {
    const definition = definitionOf({
      with: { path: 'a.sh', env: { T: '${{ secrets.T }}' } },
      env: { U: '${{ secrets.U }}' },
    });
    expect([...(definition?.references.secrets ?? [])].sort()).toEqual(['T', 'U']);
    expect(faultsOf({ with: { path: 'a.sh', args: ['${{ secrets.T }}'] } })).toEqual([
      'secret_misplaced /tasks/a/with/args/0',
    ]);
  });

  it.each([
    [{}, ['missing_field /tasks/a/with']],
    [{ with: {} }, ['missing_field /tasks/a/with/path']],
    [{ with: { path: 'a.sh', script: 'x' } }, ['unknown_field /tasks/a/with/script']],
    [{ with: { path: '/etc/passwd' } }, ['bad_value /tasks/a/with/path']],
    [{ with: { path: 'a/../../b.sh' } }, ['bad_value /tasks/a/with/path']],
    [{ with: { path: 'a.sh', allowExit: [256] } }, ['bad_value /tasks/a/with/allowExit/0']],
    [{ with: { path: 'a.sh', args: ['a\0b'] } }, ['bad_value /tasks/a/with/args/0']],
    [{ with: { path: 'a.sh' }, sandbox: 'none' }, ['bad_value /tasks/a/sandbox']],
    [{ with: { path: 'a.sh' }, sandbox: 'docker' }, ['missing_field /tasks/a/with']],
    [{ with: { path: 'a.sh', image: 'i' }, sandbox: 'seccomp' }, ['bad_value /tasks/a/sandbox']],
    [
      { with: { path: '..', image: 'i' }, sandbox: 'none' },
      ['bad_value /tasks/a/with/path', 'bad_value /tasks/a/sandbox'],
    ],
  ])('has faults: %j', (task, faults) => {
    expect(faultsOf(task)).toEqual(faults);
  });

  it('leaves a path that is computed to the worker', () => {
    expect(faultsOf({ with: { path: '../${{ inputs.x }}' } }, { inputs: { x: {} } })).toEqual([]);
  });
});
