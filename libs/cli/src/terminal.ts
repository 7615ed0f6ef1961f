import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;
export type Env = Readonly<Record<string, string | undefined>>;

/** Where a command reads from and writes to: the process, or a spec. */
export interface Terminal {
  readonly env: Env;
  readonly cwd: string;
  readonly out: Output;
  readonly err: Output;
}

/** `columns` and `rows` are there on a terminal only. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** Of a terminal, in characters. */
export interface Size {
  columns: number;
  rows: number;
}

/**
 * The size that the terminal has now. Node asks for it when it hears of the signal, which a busy process does late: a frame for the old size would
 * stay in pieces. So it is told of the signal here, which makes it ask (getWindowSize() answers what was heard last).
 */
export function sizeOf(output: Output): Size {
  if (output.isTTY === true) process.emit('SIGWINCH', 'SIGWINCH');
  return { columns: output.columns ?? 80, rows: output.rows ?? 24 };
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return { env: process.env, cwd: process.cwd(), out: process.stdout, err: process.stderr };
}

export function print(output: Output, text: string): void {
  output.write(`${text}\n`);
}

export function printJson(output: Output, value: unknown): void {
  print(output, JSON.stringify(value, null, 2));
}

/** Colours on a terminal, unless NO_COLOR is set; FORCE_COLOR asks for them everywhere. */
export function colorsOf(output: Output, env: Env): Colors {
  if (env['NO_COLOR']) return createColors(false);
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return createColors(true);
  return createColors(isLive(output, env));
}

/** True when lines can be redrawn. A terminal that does not know its size has 0 columns: a table in it would be empty. */
export function isLive(output: Output, env: Env): boolean {
  return output.isTTY === true && output.columns !== 0 && env['TERM'] !== 'dumb';
}

/** Text of a task without what would move the cursor or change colours. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\t/g, '  ')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '');
}

/** How the user calls this command: for hints that can be pasted. */
export function commandName(env: Env): string {
  return env['npm_command'] === undefined ? 'lattice' : 'npx lattice';
}
