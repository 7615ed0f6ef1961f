import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { does, type Context, type Shell } from '../register';
import { print, printJson } from '../terminal';
import { nextOf } from './schedules-list';

const VERBS = {
  pause: 'Pauses a schedule: its ticks are dropped until it is resumed. Runs go on.',
  resume: 'Lets a paused schedule go on.',
  trigger: 'Makes a run of a schedule now, also when it is paused.',
  delete: 'Removes a schedule. Its runs stay.',
} as const;
type Verb = keyof typeof VERBS;

export function registerSchedulesControl(schedules: Command, shell: Shell): void {
  const register = (verb: Verb): void => {
    const command = schedules.command(verb).description(VERBS[verb]).argument('<name>', 'name of the schedule');
    does(shell, command, z.object({}), (context, _options, args) => control(verb, context, args[0] ?? ''));
  };
  register('pause');
  register('resume');
  register('trigger');
  register('delete');
}

async function control(verb: Verb, context: Context, name: string): Promise<ExitCode> {
  const { terminal, globals } = context;
  const { json, text } = await act(verb, context, name);
  if (globals.json) printJson(terminal.out, json);
  else print(terminal.out, text);
  return EXIT.completed;
}

async function act(verb: Verb, context: Context, name: string): Promise<{ json: object; text: string }> {
  const { schedules } = context.client();
  switch (verb) {
    case 'pause':
    case 'resume': {
      const schedule = await schedules[verb](name);
      const next = schedule.paused ? 'paused' : `going on; next tick: ${nextOf(schedule)}`;
      return { json: schedule, text: `schedule ${name} is ${next}` };
    }
    case 'trigger': {
      const { runId } = await schedules.trigger(name);
      return { json: { name, runId }, text: `run ${runId}; watch it: ${context.name} runs watch ${runId}` };
    }
    case 'delete':
      await schedules.delete(name);
      return { json: { name, deleted: true }, text: `schedule ${name} is gone` };
  }
}
