import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Shows nothing. */
const MARK = '\u001b[?9999l';

function contentOf(file: string): Promise<string> {
  return eventually(file, () => Promise.resolve((existsSync(file) && readFileSync(file, 'utf8').trim()) || undefined));
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
  // A shell around the shell: `script` stops with its own child, and a shell may become the last command that it is given.
  const command = `sh -c 'echo $$ > "$0.pid"; exec "$@"' '${device}' ${words}; exit $?`;
  const child = spawn(
    'script',
    ['-qec', `stty cols ${columns} rows ${rows}; tty > '${device}'; ${command}`, '/dev/null'],
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
      const pid = Number(await contentOf(`${device}.pid`));
      const file = await contentOf(device);
      // What the command wrote for the old size is shown at the old size, as by a terminal, which changes both in one instant.
      process.kill(pid, 'SIGSTOP');
      const before = all.length;
      writeFileSync(file, MARK);
      await eventually('all is shown', () => Promise.resolve(all.includes(MARK, before) || undefined));
      screen.resize(newColumns, newRows);
      spawnSync('stty', ['-F', file, 'cols', String(newColumns), 'rows', String(newRows)]);
      process.kill(pid, 'SIGCONT');
    },
    type: (keys) => void child.stdin.write(keys),
  };
}
