import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { code } from '../../test/support';
import { GO, holdWords, isHoldable, startFileOf } from './hold';

const folder = mkdtempSync(path.join(tmpdir(), 'lattice-hold-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment that the held program gets. */
function released(env: Record<string, string>): Record<string, string> {
  const start = path.join(folder, 'start.sh');
  const fault = path.join(folder, 'fault.json');
  writeFileSync(start, startFileOf({ ...env, LATTICE_FAULT: fault }));
  const script = 'process.stdout.write(JSON.stringify(process.env))';
  const [file = '', ...args] = holdWords(start, [process.execPath, '-e', script]);
  const text = execFileSync(file, args, { input: GO, env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
  return JSON.parse(text) as Record<string, string>;
}

it('gives on any text unharmed', () => {
  const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{3,8}$/).map((one) => `T_${one}`);
  // NUL ends a variable.
  const value = fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 5 }), (env) => {
      expect(released(env)).toMatchObject(env);
    }),
    { numRuns: 30, examples: [[{ T_QUOTES: `'"\`$(touch /tmp/x)\\\n${"'".repeat(3)}` }]] },
  );
});

it('does nothing when its stdin ends without a word', () => {
  const [file = '', ...args] = holdWords('/nowhere', ['/bin/echo', 'no']);
  expect(execFileSync(file, args, { input: '', encoding: 'utf8' })).toBe('');
});

it('leaves alone what a shell would not give on, and what was leased', () => {
  const task = (env: Record<string, string>) => code('python', '', { env });
  expect(isHoldable(task({ PYTHONPATH: '/x', _LOW: '1' }))).toBe(true);
  for (const name of ['A-B', '1A', '', 'A B', 'UID', 'BASH_ENV', 'OPTIND']) {
    expect(isHoldable(task({ [name]: '1' }))).toBe(false);
  }
  expect(isHoldable({ ...task({}), gpus: { uuids: [], token: 0, fds: [] } })).toBe(true);
  expect(isHoldable({ ...task({}), gpus: { uuids: ['GPU-1'], token: 1, fds: [9] } })).toBe(false);
});
