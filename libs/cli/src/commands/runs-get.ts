import type { Command } from 'commander';
import type { RunView, TaskView } from '@lattice/contracts';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { between, duration, firstLine, table } from '../format';
import { markOf, paintState } from '../progress/marks';
import { renderWaits } from '../progress/waiting';
import { renderTimes } from '../progress/where-time-went';
import { does, type Context, type Shell } from '../register';
import { colorsOf, plainText, print, printJson, type Colors } from '../terminal';

export function registerRunsGet(runs: Command, shell: Shell): void {
  const command = runs
    .command('get')
    .description('Shows a run with its tasks, inputs and outputs.')
    .argument('<id>', 'id of the run');
  does(shell, command, z.object({}), get);
}

async function get(context: Context, _options: object, args: readonly string[]): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const run = await context.client().getRun(args[0] ?? '');
  if (globals.json) printJson(terminal.out, run);
  else print(terminal.out, renderRun(run, colorsOf(terminal.out, terminal.env), name));
  return EXIT.completed;
}

function renderRun(run: RunView, colors: Colors, command: string): string {
  const times = renderTimes(run.summary, colors);
  const blocks = [`${facts(run, colors)}${times === '' ? '' : `\n${times}`}`, tasks(run, colors)];
  const waits = renderWaits(run, command);
  if (waits !== '') blocks.push(waits);
  if (Object.keys(run.inputs).length > 0) blocks.push(json('inputs', run.inputs, colors));
  if (run.outputs !== null) blocks.push(json('outputs', run.outputs, colors));
  return blocks.join('\n\n');
}

function facts(run: RunView, colors: Colors): string {
  const took = between(run.startedAt, run.finishedAt);
  const error = run.error ? colors.red(`${run.error.code}: ${plainText(run.error.message)}`) : undefined;
  const lines: [string, string | undefined][] = [
    ['run', run.runId],
    ['workflow', run.version === null ? run.workflow : `${run.workflow} (version ${run.version})`],
    ['status', paintState(run.status, colors)(`${markOf(run.status)} ${run.status}`)],
    ['error', error],
    ['priority', run.priority === 0 ? undefined : String(run.priority)],
    ['tags', run.tags.length > 0 ? run.tags.join(', ') : undefined],
    ['schedule', run.schedule ? `${run.schedule} (${run.tick ?? 'by hand'})` : undefined],
    ['created', run.createdAt],
    ['started', run.startedAt ?? undefined],
    ['finished', run.finishedAt ? `${run.finishedAt}${took === undefined ? '' : ` (${duration(took)})`}` : undefined],
  ];
  return lines
    .flatMap(([name, value]) => (value === undefined ? [] : [`${colors.dim(name.padEnd(9))} ${value}`]))
    .join('\n');
}

function tasks(run: RunView, colors: Colors): string {
  return table(
    run.tasks,
    [
      { title: 'TASK', of: (task) => task.key },
      {
        title: 'STATUS',
        of: (task) => `${markOf(task.status)} ${task.status}`,
        paint: (text, task) => paintState(task.status, colors)(text),
      },
      { title: 'ATTEMPTS', of: (task) => String(task.attempts), align: 'right' },
      { title: 'TOOK', of: took, align: 'right' },
      { title: 'WORKER', of: (task) => task.workerId ?? '' },
      { title: 'WHY', of: why, paint: (text, task) => (task.error ? colors.red(text) : colors.dim(text)) },
    ],
    colors.dim,
  );
}

function took(task: TaskView): string {
  const ms = between(task.startedAt, task.finishedAt);
  return ms === undefined ? '' : duration(ms);
}

function why(task: TaskView): string {
  if (task.error) return `${task.error.code}: ${plainText(firstLine(task.error.message))}`;
  if (task.waitsFor) return task.waitsFor.signal === task.key ? 'waits for an approval' : 'waits for a signal';
  return plainText(task.reason ?? '');
}

function json(title: string, value: unknown, colors: Colors): string {
  return `${colors.bold(title)}\n${JSON.stringify(value, null, 2)}`;
}
