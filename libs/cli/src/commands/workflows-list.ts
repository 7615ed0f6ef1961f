import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson } from '../terminal';

export function registerWorkflowsList(workflows: Command, shell: Shell): void {
  const command = workflows
    .command('list')
    .alias('ls')
    .description('Lists the saved workflows with their newest versions.');
  does(shell, command, z.object({}), list);
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const workflows = await context.client().listWorkflows();
  if (globals.json) printJson(terminal.out, { workflows });
  else if (workflows.length === 0) print(terminal.out, `no workflows; save one with: ${name} workflows save FILE`);
  else {
    const columns = [
      { title: 'WORKFLOW', of: (one: (typeof workflows)[number]) => one.name },
      { title: 'VERSION', of: (one: (typeof workflows)[number]) => String(one.version), align: 'right' as const },
      { title: 'SAVED (UTC)', of: (one: (typeof workflows)[number]) => one.createdAt.slice(0, 19).replace('T', ' ') },
    ];
    print(terminal.out, table(workflows, columns, colorsOf(terminal.out, terminal.env).dim));
  }
  return EXIT.completed;
}
