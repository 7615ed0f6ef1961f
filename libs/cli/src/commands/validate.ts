import type { Command } from 'commander';
import { z } from 'zod';
import { faultsOfDocument } from '../document/flow';
import { readDocumentFile } from '../document/read-document';
import { faulty } from '../document/with-source';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson } from '../terminal';

export function registerValidate(program: Command, shell: Shell): void {
  const command = program
    .command('validate')
    .summary('show all faults of a workflow file')
    .description('Checks a workflow file and shows all its faults at once. Needs no running platform.')
    .argument('<file>', 'YAML or JSON file; - is standard input');
  does(shell, command, z.object({}), validate);
}

async function validate({ terminal, globals }: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const source = await readDocumentFile(args[0] ?? '', terminal.cwd);
  const faults = await faultsOfDocument(source.document);
  if (faults.length === 0) {
    const colors = colorsOf(terminal.out, terminal.env);
    if (globals.json) printJson(terminal.out, { valid: true, faults: [] });
    else print(terminal.out, `${colors.green('✔')} ${source.file} is valid`);
    return EXIT.completed;
  }
  const located = await faulty(source, faults);
  if (!globals.json) throw located;
  printJson(terminal.out, { valid: false, faults: located.faults });
  return EXIT.badInput;
}
