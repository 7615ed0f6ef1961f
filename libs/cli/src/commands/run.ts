import { InvalidArgumentError, type Command } from 'commander';
import { parseDuration, prioritySchema, workflowNameSchema, type RunView } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { meansFile, readDocumentFile, type DocumentFile } from '../document/read-document';
import { withSource } from '../document/with-source';
import { EXIT, type ExitCode } from '../exit-codes';
import { inputTypes, parseInputOptions, parseInputsOption, type Inputs } from '../inputs';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';
import { watchRun } from './watch-run';

const optionsSchema = z.object({
  input: z.array(z.string()).default([]),
  inputs: z.string().optional(),
  priority: z.number().optional(),
  delay: z.string().optional(),
  deadline: z.string().optional(),
  tag: z.array(z.string()).default([]),
  idempotencyKey: z.string().optional(),
  detach: z.boolean().default(false),
  quiet: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;

export function registerRun(program: Command, shell: Shell): void {
  const command = program
    .command('run')
    .summary('run a workflow and show its progress')
    .description(
      'Runs a workflow, from a file (- is standard input) or a saved one by its name, and shows its progress and result.',
    )
    .argument('<file|name>', 'YAML or JSON file, or name of a saved workflow')
    .option('-i, --input <name=value>', 'an input; may be given several times', collect)
    .option('--inputs <json>', 'all inputs as JSON, or @FILE')
    .option('--priority <n>', 'from -1000 to 1000, higher first', parsePriority)
    .option('--deadline <time>', 'fail if it has not ended by then: 30m, 2026-12-24T18:00:00Z')
    .option('--delay <duration>', 'start later: 500ms, 30s, 5m', parseDelay)
    .option('-t, --tag <tag>', 'a tag to find the run by; may be given several times', collect)
    .option('--idempotency-key <key>', 'the same key gives the same run again')
    .option('-d, --detach', 'print the run id and do not wait')
    .option('-q, --quiet', "hide the tasks' logs")
    .addHelpText(
      'after',
      '\nExit code: 0 completed, 1 failed or cancelled, 2 bad input, 3 unreachable, 130 stopped watching.',
    );
  does(shell, command, optionsSchema, run);
}

async function run(context: Context, options: Options, args: readonly string[]): Promise<ExitCode> {
  const target = await readTarget(args[0] ?? '', context);
  const client = context.client();
  const runId = await submit(client, target, options, context);
  if (options.detach) return detached(runId, context);
  return await watchRun({ context, client, runId, quiet: options.quiet });
}

/** What is to be run: a saved workflow, or a file. */
export type Target = { name: string; source?: undefined } | { name?: undefined; source: DocumentFile };

/** Reads the argument of a command as a file or as the name of a saved workflow. Throws BadInput. */
export async function readTarget(text: string, { terminal, name }: Context): Promise<Target> {
  if (meansFile(text, terminal.cwd)) return { source: await readDocumentFile(text, terminal.cwd) };
  if (workflowNameSchema.safeParse(text).success) return { name: text };
  throw new BadInput(`"${text}" is neither a file nor the name of a workflow; see \`${name} workflows list\`.`);
}

async function submit(
  client: LatticeClient,
  target: Target,
  options: Options,
  context: Context,
): Promise<RunView['runId']> {
  const inputs = await readInputs(client, target, options, context);
  const submitted = await withSource(target.source, '/workflow', () =>
    client.submit({
      workflow: target.source?.document ?? target.name ?? '',
      ...(Object.keys(inputs).length > 0 && { inputs }),
      ...(options.priority !== undefined && { priority: options.priority }),
      ...(options.delay !== undefined && { delay: options.delay }),
      ...(options.deadline !== undefined && { deadline: options.deadline }),
      ...(options.tag.length > 0 && { tags: options.tag }),
      idempotencyKey: options.idempotencyKey,
    }),
  );
  return submitted.runId;
}

/** --inputs first, --input on top. The types of a saved workflow are asked for only when there is a text to be understood. */
export async function readInputs(
  client: LatticeClient,
  target: Target,
  options: Pick<Options, 'input' | 'inputs'>,
  { terminal }: Context,
): Promise<Inputs> {
  const all = options.inputs === undefined ? {} : parseInputsOption(options.inputs, terminal.cwd);
  if (options.input.length === 0) return all;
  const document = target.source?.document ?? (await client.getWorkflow(target.name ?? '')).document;
  return { ...all, ...parseInputOptions(options.input, inputTypes(document)) };
}

function detached(runId: string, { terminal, globals, name }: Context): ExitCode {
  if (globals.json) printJson(terminal.out, { runId });
  else {
    print(terminal.out, runId);
    if (terminal.err.isTTY) print(terminal.err, `watch it: ${name} runs watch ${runId}`);
  }
  return EXIT.completed;
}

/** Of an option that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

export function parsePriority(text: string): number {
  const priority = prioritySchema.safeParse(/^-?\d+$/.test(text) ? Number(text) : undefined);
  if (!priority.success) throw new InvalidArgumentError('It must be an integer from -1000 to 1000.');
  return priority.data;
}

function parseDelay(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError('Write a number and a unit: 500ms, 30s, 5m.');
  return text;
}
