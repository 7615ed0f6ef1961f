import { CODES, isErrorCode, LatticeError } from '@lattice/contracts';
import { ApiError, Unreachable } from '@lattice/sdk';
import { BadInput } from './bad-input';
import { findUrl, type GlobalOptions } from './connection';
import { renderFaults } from './document/render-faults';
import type { LocatedFault } from './document/locate';
import { exitOfError, type ExitCode } from './exit-codes';
import { colorsOf, commandName, print, printJson, type Colors, type Terminal } from './terminal';

/** Says what went wrong and what to do about it, and gives the exit code. With --json as one document on stdout. */
export function reportError(
  error: unknown,
  globals: Pick<GlobalOptions, 'json' | 'url'>,
  terminal: Terminal,
): ExitCode {
  const { code, message, faults } = errorData(error);
  if (globals.json) printJson(terminal.out, { error: { code, message, faults } });
  else {
    const colors = colorsOf(terminal.err, terminal.env);
    const blocks = [`${colors.red('error')} ${message}`];
    if (faults.length > 0) blocks.push(renderFaults(faults, colors, terminal.err.columns));
    const hint = hintOf(error, globals, terminal, colors);
    if (hint) blocks.push(hint);
    print(terminal.err, blocks.join(faults.length > 0 ? '\n\n' : '\n'));
  }
  return exitOfError(error);
}

/** An error as data: its code, what it says, and the faults that it lists. */
export function errorData(error: unknown): { code: string; message: string; faults: readonly LocatedFault[] } {
  if (error instanceof ApiError || error instanceof BadInput) return error;
  if (error instanceof LatticeError) return { code: error.code, message: error.message, faults: error.faults ?? [] };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Unreachable) return { code: 'unreachable', message, faults: [] };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
  return { code, message, faults: [] };
}

function hintOf(
  error: unknown,
  globals: Pick<GlobalOptions, 'url'>,
  terminal: Terminal,
  colors: Colors,
): string | undefined {
  const { env, cwd } = terminal;
  if (error instanceof Unreachable) {
    const { from } = findUrl(globals.url, env, cwd);
    return colors.dim(
      `The address is from ${from}. Start a platform with \`${commandName(env)} up\`, or give --url or LATTICE_URL.`,
    );
  }
  if (!(error instanceof ApiError) || error.faults.length > 0) return undefined;
  if (error.status === 401) {
    return colors.dim(
      'Give the key with --api-key or LATTICE_API_KEY, or work in a folder below that of .lattice/admin.key.',
    );
  }
  const hint = hintOfCode(error.code, commandName(env));
  return hint !== undefined && error.status < 500 ? colors.dim(`hint: ${hint}`) : undefined;
}

/** What is to be looked at is named by its command, not by its route. */
function hintOfCode(code: string, command: string): string | undefined {
  switch (code) {
    case 'run_not_found':
      return `see \`${command} runs list\` for the ids.`;
    case 'task_not_found':
      return `see \`${command} runs get RUN\` for the keys of its tasks.`;
    case 'worker_not_found':
      return `see \`${command} workers\` for the ids.`;
    case 'workflow_not_found':
      return `see \`${command} workflows list\`, or save it first: \`${command} workflows save FILE\`.`;
    case 'schedule_not_found':
      return `see \`${command} schedules list\` for the names.`;
    case 'not_found':
      // Of a path; whoever wrote a command asked for no path.
      return undefined;
    default:
      return isErrorCode(code) ? CODES[code].hint : undefined;
  }
}
