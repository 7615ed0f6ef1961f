import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestPlatform } from '../support/platform';
import { installSdk, node, root, transpile } from './support';

let folder = '';
let platform: TestPlatform;
let said: { document: Record<string, unknown>; wrong: Record<string, unknown>; strict: Record<string, unknown> };
let refused: Record<string, string>;

beforeAll(async () => {
  platform = await TestPlatform.open();
  folder = await installSdk();
  writeFileSync(join(folder, 'native.node'), '');
  for (const name of ['travelling', 'travelling-helper']) {
    copyFileSync(join(root, 'test', 'sdk', 'fixtures', `${name}.mts`), join(folder, `${name}.mts`));
    await transpile(folder, `${name}.mts`, `${name}.mjs`);
  }
  const printed = await node(folder, 'main.mjs', `import './travelling.mjs';`);
  const lines = printed.split('\n').map((line) => JSON.parse(line));
  const all = Object.assign({}, ...lines) as typeof said & { refused: typeof refused };
  ({ refused, ...said } = all);
  // What runs from here on has never seen any of it.
  rmSync(folder, { recursive: true, force: true });
  await platform.scheduler();
  await platform.worker();
}, 180_000);
afterAll(async () => {
  await platform?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('functions that travel', () => {
  it('run on a worker that has never seen them, with imports, constants, functions and classes of their file', async () => {
    const run = await platform.run(said.document, { inputs: { text: 'word' } });
    expect(run.error).toBeNull();
    expect(run.outputs).toEqual({
      times: 2,
      out: [
        'WORD WORD WO',
        'WORD!',
        expect.stringMatching(/^[0-9a-f]{8}$/),
        'b',
        1,
        2,
        'a template with ${{ not }} in it: ${{',
        'WORD',
      ],
    });
  });

  it('check their inputs and outputs there', async () => {
    const wrong = await platform.run(said.wrong);
    expect(wrong.tasks[0]?.error).toMatchObject({ code: 'task_output_invalid', retryable: false });
    expect(wrong.tasks[0]?.error?.message).toContain('$.n: expected integer, got number');
    const strict = await platform.run(said.strict);
    expect(strict.tasks[0]?.error).toMatchObject({ code: 'task_input_invalid', retryable: false });
    expect(strict.tasks[0]?.error?.message).toContain('$.text: must have a length of at least 2');
  });

  it.each([
    ['closure', /uses `local`, a variable of the function around it/],
    // The compiler gave it another name than that of the file's constant.
    ['shadow', /uses `LIMIT2`, a variable of the function around it/],
    ['around', /uses `cut` from around it: .*from: import.meta.url/],
    ['bound', /bound or built-in/],
    ['builtin', /bound or built-in/],
    ['self', /uses `this`/],
    ['live', /uses `connection`, which is made by `connect\(\)` when the file is loaded/],
    ['changing', /uses `changing`, a `let`/],
    ['meta', /import\.meta/],
    ['dynamic', /imports a module whose name is not a plain text/],
    ['generator', /generator/],
    ['schema', /a schema of it is code/],
    ['native', /native module/],
    ['missing', /not-installed-anywhere/],
  ])('are refused when they are added: %s', (name, says) => {
    expect(refused[name]).toMatch(/^code_not_portable the function of/);
    expect(refused[name]).toMatch(says);
  });
});
