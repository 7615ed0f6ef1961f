import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { USES_PATTERN } from '@lattice/contracts';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { importFile, type ImportedFile } from '../document/import-file';
import { EXIT, type ExitCode } from '../exit-codes';
import { count } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, plainText, print, printJson, type Terminal } from '../terminal';
import { watchRun } from './watch-run';

const optionsSchema = z.object({
  body: z.enum(['noop', 'sleep']),
  scale: z.number(),
  handler: z.string().optional(),
  out: z.string().optional(),
  run: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;

export function registerImport(program: Command, shell: Shell): void {
  const command = program
    .command('import')
    .summary('turn a workflow of another system into one of Lattice')
    .description(
      'Turns a workflow file of another system into a document, and says on stderr what could not be carried over. Formats: wfformat (WfCommons), codomyrmex, station. Needs no running platform, but for --run.',
    )
    .argument('<format>', 'wfformat, codomyrmex or station')
    .argument('<file>', 'the file; - is standard input')
    .addOption(
      new Option('--body <body>', 'what tasks do: nothing, or wait their recorded run time')
        .choices(['noop', 'sleep'])
        .default('noop'),
    )
    .option('--scale <factor>', 'factor on recorded run times, for --body sleep', parseScale, 1)
    .option('--handler <name>', 'tasks use handler/NAME instead of a process each', parseHandler)
    .option('-o, --out <file>', 'write the document there: .yaml or .yml as YAML, else as JSON')
    .option('--run', 'run it and show its progress')
    .addHelpText('after', '\nWithout --out and --run the document is printed, as JSON.');
  does(shell, command, optionsSchema, importWorkflow);
}

async function importWorkflow(context: Context, options: Options, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals } = context;
  const [format = '', file = ''] = args;
  const { body, scale, handler, out } = options;
  const imported = await importFile({ format, file, cwd: terminal.cwd, options: { body, scale, handler } });
  if (out !== undefined) await write(out, imported, terminal.cwd);
  if (!globals.json) tell(imported, out, terminal);
  if (options.run) return await run(context, imported);
  if (globals.json) printJson(terminal.out, imported);
  else if (out === undefined) printJson(terminal.out, imported.workflow);
  return EXIT.completed;
}

async function write(out: string, { workflow }: ImportedFile, cwd: string): Promise<void> {
  const yaml = /\.ya?ml$/i.test(out) ? await import('yaml') : undefined;
  const text = yaml?.stringify(workflow, { aliasDuplicateObjects: false }) ?? `${JSON.stringify(workflow, null, 2)}\n`;
  try {
    writeFileSync(resolve(cwd, out), text);
  } catch (error) {
    throw new BadInput(`cannot write ${out}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** So many of the renamed tasks are shown. */
const SHOWN = 10;

function tell({ workflow, notes, keys }: ImportedFile, out: string | undefined, terminal: Terminal): void {
  const colors = colorsOf(terminal.err, terminal.env);
  const say = (text: string): void => print(terminal.err, text);
  for (const note of notes) say(`${colors.yellow('note')} ${plainText(note)}`);
  const renamed = Object.entries(keys);
  for (const [id, key] of renamed.slice(0, SHOWN)) say(colors.dim(`  ${plainText(id)} -> ${key}`));
  if (renamed.length > SHOWN) say(colors.dim(`  and ${renamed.length - SHOWN} more; --json shows all`));
  if (out !== undefined)
    say(`${colors.green('✔')} ${out}: ${workflow.name}, ${count(Object.keys(workflow.tasks).length, 'task')}`);
}

async function run(context: Context, { workflow }: ImportedFile): Promise<ExitCode> {
  const client = context.client();
  const { runId } = await client.submit({ workflow });
  return await watchRun({ context, client, runId, quiet: false });
}

function parseScale(text: string): number {
  const scale = /^\d*\.?\d+(e-?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(scale)) throw new InvalidArgumentError('It must be a number, 0 or more: 0.001, 1.');
  return scale;
}

function parseHandler(text: string): string {
  if (!USES_PATTERN.test(`handler/${text}`)) throw new InvalidArgumentError('Letters, digits, . _ -, up to 100.');
  return text;
}
