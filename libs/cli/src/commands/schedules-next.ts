import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';
import { whenOptions } from './schedules-create';

const optionsSchema = z.object({
  count: z.number().optional(),
  cron: z.string().optional(),
  timezone: z.string().optional(),
  every: z.string().optional(),
  startAt: z.string().optional(),
  at: z.string().optional(),
});

export function registerSchedulesNext(schedules: Command, shell: Shell): void {
  const command = schedules
    .command('next')
    .description('Shows the next ticks of a schedule, or of a timing that is given as options.')
    .argument('[name]', 'name of a schedule')
    .option('-n, --count <n>', 'how many, up to 100 (default 5)', parseCount);
  does(shell, whenOptions(command), optionsSchema, next);
}

async function next(
  context: Context,
  { count, ...timing }: z.infer<typeof optionsSchema>,
  [name]: readonly string[],
): Promise<ExitCode> {
  const { terminal, globals } = context;
  const { schedules } = context.client();
  const given = Object.values(timing).some((value) => value !== undefined);
  if (given === (name !== undefined)) {
    throw new BadInput('Give either the name of a schedule, or its timing: --cron, --every or --at.');
  }
  const ticks = name === undefined ? await schedules.preview(timing, { count }) : await schedules.next(name, { count });
  if (globals.json) printJson(terminal.out, { ticks });
  else print(terminal.out, ticks.length === 0 ? 'no more ticks' : ticks.join('\n'));
  return EXIT.completed;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new InvalidArgumentError('It must be an integer from 1 to 100.');
  }
  return count;
}
