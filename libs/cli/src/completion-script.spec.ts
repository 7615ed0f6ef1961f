import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { completionScript, wordsOf, type ShellName } from './completion-script';
import { buildProgram } from './program';

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const words = wordsOf(buildProgram({ terminal: { env: {}, cwd: '/', out: sink, err: sink }, exitCode: 0 }));
const folder = mkdtempSync(join(tmpdir(), 'lattice-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scriptOf(shell: ShellName): string {
  const file = join(folder, shell);
  writeFileSync(file, completionScript(shell, words));
  return file;
}

const hasFish = spawnSync('fish', ['--version']).status === 0;

describe('in bash', () => {
  const complete = (line: string): string[] => {
    const typed = line.split(' ');
    const list = typed.map((word) => `'${word}'`).join(' ');
    const program = `source '${scriptOf('bash')}'; COMP_WORDS=(${list}); COMP_CWORD=${typed.length - 1}; _lattice; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', program], { cwd: folder, encoding: 'utf8' });
    return out.split('\n').filter((word) => word !== '');
  };

  it.each([
    ['lattice ru', ['run', 'runs']],
    ['lattice runs re', ['resume', 'retry', 'reject', 'rerun', 'report']],
    ['lattice --json wo', ['workers', 'workflows']],
    ['lattice workers d', ['drain']],
    ['lattice completion z', ['zsh']],
    ['lattice runs list --sc', ['--schedule']],
    ['lattice script --dr', ['--dry-run']],
    ['lattice runs list --status c', ['completed', 'cancelled']],
    ['lattice keys create ci --scope ', ['viewer', 'operator', 'admin', 'worker']],
    ['lattice keys create ci --scope worker --js', ['--json']],
  ])('%s gives %j', (line, found) => expect(complete(line)).toEqual(found));

  it('gives files and folders where they are wanted', () => {
    mkdirSync(join(folder, 'checks'));
    writeFileSync(join(folder, 'checks.yaml'), '');
    expect(complete('lattice script che')).toEqual(expect.arrayContaining(['checks']));
    expect(complete('lattice run che')).toEqual(expect.arrayContaining(['checks.yaml']));
    expect(complete('lattice keys che')).toEqual([]);
  });
});

(hasFish ? describe : describe.skip)('in fish', () => {
  const complete = (line: string): string[] =>
    execFileSync('fish', ['--no-config', '-c', `source '${scriptOf('fish')}'; complete -C '${line}'`], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder },
    })
      .split('\n')
      .flatMap((found) => (found === '' ? [] : [found.split('\t')[0] ?? '']));

  it.each([
    ['lattice ru', ['run', 'runs']],
    ['lattice runs l', ['list', 'logs']],
    ['lattice completion z', ['zsh']],
    ['lattice runs list --sc', ['--schedule']],
    ['lattice runs list --status c', ['cancelled', 'completed']],
    ['lattice keys create ci --scope w', ['worker']],
  ])('%s gives %j', (line, found) => expect(complete(line)).toEqual(found));
});

it('is a script that zsh understands', () => {
  const text = completionScript('zsh', words);
  expect(text).toMatch(/\nautoload -U \+X bashcompinit && bashcompinit\n/);
  // Also in a shell whose own completion is not set up yet.
  const program = `source '${scriptOf('zsh')}' && print -r -- $_comps[lattice]`;
  const check = spawnSync('zsh', ['-f', '-c', program], { encoding: 'utf8', env: { ...process.env, HOME: folder } });
  // Not every machine has it; then the words that it shares with bash are all there is to be looked at.
  if (check.error === undefined)
    expect([check.status, check.stdout, check.stderr]).toEqual([0, '_bash_complete -o filenames -F _lattice\n', '']);
});
