import type { Command } from 'commander';
import type { LatticeClient } from '@lattice/sdk';
import type { z } from 'zod';
import { connect, globalOptionsSchema, type GlobalOptions } from './connection';
import type { ExitCode } from './exit-codes';
import { commandName, type Terminal } from './terminal';

/** What a command is given. */
export interface Context {
  readonly terminal: Terminal;
  readonly globals: GlobalOptions;
  /** How the user calls this command. */
  readonly name: string;
  client(): LatticeClient;
}

/** The process around the commands: each one leaves its exit code here. */
export interface Shell {
  readonly terminal: Terminal;
  exitCode: ExitCode;
}

/** Registers what a command does; it gets its options parsed, and its arguments as they were written. */
export function does<Options>(
  shell: Shell,
  command: Command,
  schema: z.ZodType<Options>,
  work: (context: Context, options: Options, args: readonly string[]) => Promise<ExitCode>,
): void {
  command.action(async () => {
    const all: unknown = command.optsWithGlobals();
    const globals = globalOptionsSchema.parse(all);
    const { terminal } = shell;
    const name = commandName(terminal.env);
    const context: Context = { terminal, globals, name, client: () => connect(globals, terminal) };
    shell.exitCode = await work(context, schema.parse(all), command.args);
  });
}
