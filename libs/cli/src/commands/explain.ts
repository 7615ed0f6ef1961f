import type { Command } from 'commander';
import { z } from 'zod';
import { explain } from '../document/flow';
import { readDocumentFile } from '../document/read-document';
import { faulty } from '../document/with-source';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

export function registerExplain(program: Command, shell: Shell): void {
  const command = program
    .command('explain')
    .summary('show how a workflow will be run')
    .description(
      'Shows the plan of a workflow file: its graph, and how it maps onto queue jobs. Needs no running platform.',
    )
    .argument('<file>', 'YAML or JSON file; - is standard input');
  does(shell, command, z.object({}), explainFile);
}

async function explainFile(
  { terminal, globals }: Context,
  _options: object,
  args: readonly string[],
): Promise<ExitCode> {
  const source = await readDocumentFile(args[0] ?? '', terminal.cwd);
  const explained = await explain(source.document);
  if (!explained.ok) throw await faulty(source, explained.faults);
  if (globals.json) printJson(terminal.out, explained.plan);
  else print(terminal.out, explained.text.trimEnd());
  return EXIT.completed;
}
