import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

export function registerRunsReport(runs: Command, shell: Shell): void {
  const command = runs
    .command('report')
    .description('Prints a report of a run as Markdown: tasks, attempts, errors, critical path; with --json as JSON.')
    .argument('<id>', 'id of the run');
  does(shell, command, z.object({}), report);
}

async function report(context: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals } = context;
  const [runId = ''] = args;
  const client = context.client();
  if (globals.json) printJson(terminal.out, await client.report(runId));
  else print(terminal.out, (await client.reportText(runId)).trimEnd());
  return EXIT.completed;
}
