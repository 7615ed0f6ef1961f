import type { Command } from 'commander';
import type { ScheduleSummary } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { moment, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

export function registerSchedulesList(schedules: Command, shell: Shell): void {
  const command = schedules.command('list').alias('ls').description('Lists the schedules with their next ticks.');
  does(shell, command, z.object({}), list);
}

async function list(context: Context): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const schedules = await context.client().schedules.list();
  if (globals.json) printJson(terminal.out, { schedules });
  else if (schedules.length === 0)
    print(terminal.out, `no schedules; make one with: ${name} schedules create NAME FILE`);
  else print(terminal.out, renderSchedules(schedules, colorsOf(terminal.out, terminal.env)));
  return EXIT.completed;
}

function renderSchedules(schedules: readonly ScheduleSummary[], colors: Colors): string {
  return table(
    schedules,
    [
      { title: 'SCHEDULE', of: (one) => one.name },
      { title: 'WORKFLOW', of: (one) => one.workflow },
      { title: 'WHEN', of: whenOf },
      {
        title: 'NEXT (UTC)',
        of: nextOf,
        paint: (text, one) => (one.paused ? colors.yellow(text) : text),
      },
      { title: 'LAST (UTC)', of: (one) => (one.lastAt === null ? '' : moment(one.lastAt)) },
      { title: 'TROUBLE', of: troubleOf, paint: (text) => colors.red(text) },
    ],
    colors.dim,
  );
}

/** `0 9 * * 1-5 Europe/Berlin`, `every 5m`, `once`. */
export function whenOf({ cron, timezone, every, at }: ScheduleSummary): string {
  if (cron !== null) return `${cron} ${timezone ?? 'UTC'}`;
  return every === null ? `once, ${moment(at ?? '')}` : `every ${every}`;
}

export function nextOf({ paused, nextAt }: ScheduleSummary): string {
  if (paused) return 'paused';
  return nextAt === null ? 'over' : moment(nextAt);
}

/** Ticks that made no run, by reason. */
export function troubleOf({ missed, skipped, failed }: ScheduleSummary): string {
  return Object.entries({ missed, skipped, failed })
    .flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
    .join(', ');
}
