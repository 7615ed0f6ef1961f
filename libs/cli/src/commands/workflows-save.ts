import type { Command } from 'commander';
import { z } from 'zod';
import { readDocumentFile } from '../document/read-document';
import { withSource } from '../document/with-source';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

export function registerWorkflowsSave(workflows: Command, shell: Shell): void {
  const command = workflows
    .command('save')
    .description('Saves a workflow, so that it can be run by its name. A changed document becomes a new version.')
    .argument('<file>', 'YAML or JSON file; - is standard input');
  does(shell, command, z.object({}), save);
}

async function save(context: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals, name: command } = context;
  const source = await readDocumentFile(args[0] ?? '', terminal.cwd);
  const { name, version, createdAt } = await withSource(source, '', () =>
    context.client().saveWorkflow(source.document),
  );
  if (globals.json) printJson(terminal.out, { name, version, createdAt });
  else print(terminal.out, `${name} is saved as version ${version}; run it: ${command} run ${name}`);
  return EXIT.completed;
}
