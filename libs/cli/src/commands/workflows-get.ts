import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

export function registerWorkflowsGet(workflows: Command, shell: Shell): void {
  const command = workflows
    .command('get')
    .description('Prints the newest version of a saved workflow, as YAML; with --json also its version and time.')
    .argument('<name>', 'name of the workflow');
  does(shell, command, z.object({}), get);
}

async function get(context: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals } = context;
  const saved = await context.client().getWorkflow(args[0] ?? '');
  if (globals.json) printJson(terminal.out, saved);
  else {
    const { stringify } = await import('yaml');
    print(terminal.out, stringify(saved.document, { lineWidth: 120 }).trimEnd());
  }
  return EXIT.completed;
}
