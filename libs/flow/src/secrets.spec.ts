import { readDocument } from './workflow';

const code = { language: 'javascript', source: 'export default () => 1' };

function faultsOf(tasks: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
  const read = readDocument({ name: 'w', tasks, ...more });
  return read.ok ? [] : read.faults.map(({ code: fault, pointer }) => `${fault} ${pointer}`);
}

describe('secrets in a document', () => {
  it('may be used in environments and headers, with text around them', () => {
    const tasks = {
      a: {
        uses: 'code',
        with: code,
        env: { TOKEN: '${{ secrets.TOKEN }}', BOTH: '${{ secrets.USER }}:${{secrets.TOKEN}}' },
      },
      b: { uses: 'container', with: { image: 'i', env: { TOKEN: '${{ secrets["TOKEN"] }}' } } },
      c: { uses: 'http', with: { url: 'http://x', headers: { authorization: 'Bearer ${{ secrets.TOKEN }}' } } },
      d: { uses: 'map', with: { over: [1], do: { uses: 'handler/x', env: { TOKEN: '${{ secrets.INNER }}' } } } },
    };
    const read = readDocument({ name: 'w', defaults: { env: { KEY: '${{ secrets.KEY }}' } }, tasks });
    if (!read.ok) throw new Error(JSON.stringify(read.faults));
    const of = (key: string): string[] => [...(read.workflow.tasks.get(key)?.references.secrets ?? [])].sort();
    expect([of('a'), of('b'), of('c')]).toEqual([
      ['KEY', 'TOKEN', 'USER'],
      ['KEY', 'TOKEN'],
      ['KEY', 'TOKEN'],
    ]);
  });

  it.each([
    [
      'the input of code',
      { a: { uses: 'code', with: { ...code, input: { x: ['${{ secrets.T }}'] } } } },
      '/tasks/a/with/input/x/0',
    ],
    ['the input of a handler', { a: { uses: 'handler/x', with: { t: '${{ secrets.T }}' } } }, '/tasks/a/with/t'],
    ['a URL', { a: { uses: 'http', with: { url: 'http://x/${{ secrets.T }}' } } }, '/tasks/a/with/url'],
    [
      'a body',
      { a: { uses: 'http', with: { url: 'http://x', method: 'POST', body: '${{ secrets.T }}' } } },
      '/tasks/a/with/body',
    ],
    [
      'a command',
      { a: { uses: 'container', with: { image: 'i', command: ['${{ secrets.T }}'] } } },
      '/tasks/a/with/command/0',
    ],
    ['a condition', { a: { uses: 'code', with: code, if: 'secrets.T == "x"' } }, '/tasks/a/if'],
    [
      'the key of a cache',
      { a: { uses: 'code', with: code, cache: { key: '${{ secrets.T }}' } } },
      '/tasks/a/cache/key',
    ],
    ['a transform', { a: { uses: 'transform', with: { value: '${{ secrets.T }}' } } }, '/tasks/a/with/value'],
    ['a sub-workflow', { a: { uses: 'workflow/x', with: { t: '${{ secrets.T }}' } } }, '/tasks/a/with/t'],
    ['a batch', { a: { uses: 'handler/x', batch: { size: 2 }, env: { T: '${{ secrets.T }}' } } }, '/tasks/a/env/T'],
    ['a computation', { a: { uses: 'code', with: code, env: { T: '${{ secrets.T + "x" }}' } } }, '/tasks/a/env/T'],
    ['a part of it', { a: { uses: 'code', with: code, env: { T: '${{ secrets.T[0] }}' } } }, '/tasks/a/env/T'],
    ['all of them', { a: { uses: 'code', with: code, env: { T: '${{ secrets }}' } } }, '/tasks/a/env/T'],
  ])('are a fault in %s', (_, tasks, pointer) => {
    expect(faultsOf(tasks)).toEqual([`secret_misplaced ${pointer}`]);
  });

  it('are a fault in outputs and in the keys of limits', () => {
    const tasks = { a: { uses: 'code', with: code } };
    const secret = '${{ secrets.T }}';
    expect(faultsOf(tasks, { outputs: { t: secret } })).toEqual(['secret_misplaced /outputs/t']);
    expect(faultsOf(tasks, { concurrency: { key: secret } })).toEqual(['secret_misplaced /concurrency/key']);
  });
});
