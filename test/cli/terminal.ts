import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { randomUUID } from 'node:crypto';
import { Screen } from '../../libs/cli/test/screen';
import { eventually } from '../support/eventually';
import { bin, type CommandTest } from './support';

/** A thousand tasks on a machine that does other things too. */
const LIMIT_MS = 50_000;

/** A command in a real terminal, as `script` makes one. */
export interface InTerminal {
  readonly screen: Screen;
  /** Everything that was written. */
  readonly written: () => string;
  readonly ended: Promise<number | null>;
  /** Resolves when the screen shows a line that fits. */
  shows(what: RegExp): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  type(keys: string): void;
}

/** Starts `lattice` in a terminal of this size. */
export function inTerminal(
  test: CommandTest,
  args: readonly string[],
  { columns, rows, env = {} }: { columns: number; rows: number; env?: NodeJS.ProcessEnv },
): InTerminal {
  const screen = new Screen(columns, rows);
  const device = join(test.folder, `tty-${randomUUID()}`);
  const words = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(
    'script',
    ['-qec', `stty cols ${columns} rows ${rows}; tty > '${device}'; ${words}`, '/dev/null'],
    {
      cwd: test.folder,
      env: { ...test.env, TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  test.watch(child);
  const decoder = new StringDecoder('utf8');
  let all = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const text = decoder.write(chunk);
    all += text;
    screen.write(text);
  });
  return {
    screen,
    written: () => all,
    ended: new Promise((resolve) => child.once('close', resolve)),
    shows: (what) =>
      eventually(
        `the screen shows ${what}`,
        () => {
          const found = screen.shown.find((line) => what.test(line));
          if (found === undefined) throw new Error(`it shows\n${screen.shown.join('\n')}`);
          return Promise.resolve(found);
        },
        LIMIT_MS,
      ),
    async resize(newColumns, newRows) {
      await eventually('the terminal has a name', () => Promise.resolve(existsSync(device) || undefined));
      screen.resize(newColumns, newRows);
      const file = readFileSync(device, 'utf8').trim();
      spawnSync('stty', ['-F', file, 'cols', String(newColumns), 'rows', String(newRows)]);
    },
    type: (keys) => void child.stdin.write(keys),
  };
}
