import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { parseInputOptions, parseInputsOption, type Inputs } from '../inputs';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';

const rerunSchema = z.object({ alone: z.boolean().default(false) });
const forkSchema = z.object({
  from: z.array(z.string()).default([]),
  input: z.array(z.string()).default([]),
  inputs: z.string().optional(),
});

/** `runs rerun` and `runs fork`: finished work done again, in the same run or in a new one. */
export function registerRunsAgain(runs: Command, shell: Shell): void {
  const again = runs
    .command('rerun')
    .description('Runs a task of an ended run again, and all that is downstream of it; the other results are kept.')
    .argument('<id>', 'id of the run')
    .argument('<task>', 'key of the task')
    .option('--alone', 'this task only; what comes after it keeps results made from its old output');
  does(shell, again, rerunSchema, rerun);
  const forked = runs
    .command('fork')
    .description('Starts a new run that takes over the finished tasks of another, but for those from a task on.')
    .argument('<id>', 'id of the run to go on from')
    .requiredOption('--from <task>', 'do this task and all downstream of it anew; may be given several times', collect)
    .option('-i, --input <name=value>', 'an input that differs; may be given several times', collect)
    .option('--inputs <json>', 'all inputs that differ as JSON, or @FILE');
  does(shell, forked, forkSchema, fork);
}

async function rerun(
  context: Context,
  { alone }: z.infer<typeof rerunSchema>,
  args: readonly string[],
): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const [runId = '', key = ''] = args;
  await context.client().rerun(runId, key, { downstream: !alone });
  if (globals.json) printJson(terminal.out, { runId });
  else print(terminal.out, `run ${runId} goes on with ${key}; watch it: ${name} runs watch ${runId}`);
  return EXIT.completed;
}

async function fork(context: Context, options: z.infer<typeof forkSchema>, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const inputs = readInputs(options, terminal.cwd);
  const { runId } = await context.client().fork(args[0] ?? '', {
    from: options.from,
    ...(Object.keys(inputs).length > 0 && { inputs }),
  });
  if (globals.json) printJson(terminal.out, { runId });
  else
    print(terminal.out, `run ${runId} goes on from ${options.from.join(', ')}; watch it: ${name} runs watch ${runId}`);
  return EXIT.completed;
}

/** Values of --input are JSON where they read as such: the document of the run is not at hand. */
function readInputs(options: z.infer<typeof forkSchema>, cwd: string): Inputs {
  const all = options.inputs === undefined ? {} : parseInputsOption(options.inputs, cwd);
  return { ...all, ...parseInputOptions(options.input, {}) };
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
