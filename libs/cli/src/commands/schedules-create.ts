import { Option, type Command } from 'commander';
import { CATCH_UP, OVERLAP, type ScheduleBody } from '@lattice/contracts';
import { z } from 'zod';
import { withSource } from '../document/with-source';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson } from '../terminal';
import { collect, parsePriority, readInputs, readTarget } from './run';
import { renderSchedule } from './schedules-get';

const optionsSchema = z.object({
  cron: z.string().optional(),
  timezone: z.string().optional(),
  every: z.string().optional(),
  startAt: z.string().optional(),
  at: z.string().optional(),
  input: z.array(z.string()).default([]),
  inputs: z.string().optional(),
  priority: z.number().optional(),
  tag: z.array(z.string()).default([]),
  catchUp: z.enum(CATCH_UP).optional(),
  overlap: z.enum(OVERLAP).optional(),
  paused: z.boolean().optional(),
});

/** Options that say when; also of the preview. */
export function whenOptions(command: Command): Command {
  return command
    .option('--cron <pattern>', 'five fields, or six with seconds first: "0 9 * * 1-5"')
    .option('--timezone <name>', 'of --cron: Europe/Berlin (default UTC)')
    .option('--every <duration>', 'an interval: 30s, 5m, 1h')
    .option('--start-at <time>', 'of --every: the first tick, ISO 8601')
    .option('--at <time>', 'once, ISO 8601');
}

export function registerSchedulesCreate(schedules: Command, shell: Shell): void {
  const command = schedules
    .command('create')
    .description('Makes a schedule of a workflow, or replaces the schedule of that name.')
    .argument('<name>', 'name of the schedule')
    .argument('<file|workflow>', 'YAML or JSON file, or name of a saved workflow');
  whenOptions(command)
    .option('-i, --input <name=value>', 'an input; may be given several times', collect)
    .option('--inputs <json>', 'all inputs as JSON, or @FILE')
    .option('--priority <n>', 'from -1000 to 1000, higher first', parsePriority)
    .option('-t, --tag <tag>', 'a tag of its runs; may be given several times', collect)
    .addOption(new Option('--catch-up <policy>', 'what becomes of missed ticks (default last)').choices(CATCH_UP))
    .addOption(new Option('--overlap <policy>', 'whether runs may overlap (default allow)').choices(OVERLAP))
    .option('--paused', 'no ticks until it is resumed');
  does(shell, command, optionsSchema, create);
}

async function create(
  context: Context,
  options: z.infer<typeof optionsSchema>,
  [name = '', workflow = '']: readonly string[],
): Promise<ExitCode> {
  const { terminal, globals } = context;
  const client = context.client();
  const target = await readTarget(workflow, context);
  const { input, inputs: given, tag, ...rest } = options;
  const inputs = await readInputs(client, target, { input, inputs: given }, context);
  const body: ScheduleBody = {
    name,
    workflow: target.source?.document ?? target.name ?? '',
    ...(Object.keys(inputs).length > 0 && { inputs }),
    ...(tag.length > 0 && { tags: tag }),
    ...rest,
  };
  const schedule = await withSource(target.source, '/workflow', () => client.schedules.save(body));
  if (globals.json) printJson(terminal.out, schedule);
  else print(terminal.out, renderSchedule(schedule, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}
