import { Writable } from 'node:stream';
import { EXAMPLES, commandsOf } from './examples';
import { buildProgram } from './program';

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const shell = { terminal: { env: {}, cwd: '/', out: sink, err: sink }, exitCode: 0 as const };
const paths = commandsOf(buildProgram(shell)).map(({ path }) => path);

/** As a shell would divide it; what is redirected is not ours. */
function wordsOf(line: string): string[] {
  const said = line.replace(/ +# .*$/, '').replace(/ \| source$/, '');
  const own = said.replace(/^source <\((.*)\)$/, '$1').replace(/ > \S+$/, '');
  return [...own.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

it('has examples of every command, and of no other', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual([...paths].sort());
});

it.each(paths)('%s says what it does and shows an example', (path) => {
  const { command } = commandsOf(buildProgram(shell)).find((one) => one.path === path) ?? {};
  expect(command?.description()).toMatch(/^[A-Z].*\.$/s);
  let help = '';
  command?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  expect(help).toMatch(/\nExamples?:\n {2}(source <\()?lattice /);
});

it.each(Object.entries(EXAMPLES).flatMap(([path, lines]) => lines.map((line) => [line, path])))(
  '%s is understood',
  async (line, path) => {
    const program = buildProgram(shell);
    const called: string[] = [];
    for (const one of commandsOf(program)) one.command.action(() => void called.push(one.path));
    const [name, ...args] = wordsOf(line);
    await program.parseAsync(args, { from: 'user' });
    expect([name, called]).toEqual(['lattice', [path]]);
  },
);
