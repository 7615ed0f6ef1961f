import type { Command } from 'commander';
import type { ScheduleView } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { colorsOf, plainText, print, printJson, type Colors } from '../terminal';
import { nextOf, troubleOf, whenOf } from './schedules-list';

export function registerSchedulesGet(schedules: Command, shell: Shell): void {
  const command = schedules
    .command('get')
    .description('Shows a schedule: when it ticks, its last run, what was missed and why.')
    .argument('<name>', 'name of the schedule');
  does(shell, command, z.object({}), get);
}

async function get(context: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals } = context;
  const schedule = await context.client().schedules.get(args[0] ?? '');
  if (globals.json) printJson(terminal.out, schedule);
  else print(terminal.out, renderSchedule(schedule, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}

export function renderSchedule(one: ScheduleView, colors: Colors): string {
  const error = one.lastError && `${one.lastError.at} ${one.lastError.code}: ${plainText(one.lastError.message)}`;
  const lines: [string, string | null][] = [
    ['schedule', one.name],
    ['workflow', `${one.workflow}${one.document ? ' (own document)' : one.version ? ` (version ${one.version})` : ''}`],
    ['when', whenOf(one)],
    ['start', one.startAt],
    ['next', nextOf(one)],
    ['last', one.lastAt === null ? null : `${one.lastAt} (run ${one.lastRunId ?? 'unknown'})`],
    ['catch-up', one.catchUp],
    ['overlap', one.overlap],
    ['priority', one.priority === 0 ? null : String(one.priority)],
    ['tags', one.tags.length > 0 ? one.tags.join(', ') : null],
    ['trouble', troubleOf(one) === '' ? null : colors.red(troubleOf(one))],
    ['error', error && colors.red(error)],
    ['inputs', Object.keys(one.inputs).length > 0 ? JSON.stringify(one.inputs) : null],
  ];
  return lines
    .flatMap(([name, value]) => (value === null ? [] : [`${colors.dim(name.padEnd(9))} ${value}`]))
    .join('\n');
}
