import type { Command } from 'commander';
import type { LogEntry } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { interruptible } from '../interrupt';
import { dataOf, linesOf } from '../progress/run-state';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

const optionsSchema = z.object({ follow: z.boolean().default(false) });

export function registerRunsLogs(runs: Command, shell: Shell): void {
  const command = runs
    .command('logs')
    .description('Prints the logs of a run, or of one of its tasks.')
    .argument('<id>', 'id of the run')
    .argument('[task]', 'key of the task; all when absent')
    .option('-f, --follow', 'go on printing until the run ends');
  does(shell, command, optionsSchema, logs);
}

async function logs(
  context: Context,
  options: z.infer<typeof optionsSchema>,
  args: readonly string[],
): Promise<ExitCode> {
  const [runId = '', task] = args;
  const client = context.client();
  if (options.follow) return await followLogs(context, client, runId, task);
  const entries = await readLogs(client, runId, task);
  const { terminal, globals } = context;
  const colors = colorsOf(terminal.out, terminal.env);
  if (globals.json) printJson(terminal.out, entries);
  else for (const entry of entries) printEntry(entry, task === undefined, terminal.out, colors);
  return EXIT.completed;
}

interface TaskLog extends LogEntry {
  taskKey: string;
}

/** In the order of time; entries of one task stay in their own order. */
async function readLogs(client: LatticeClient, runId: string, task: string | undefined): Promise<TaskLog[]> {
  const keys =
    task === undefined
      ? (await client.getRun(runId)).tasks.filter(({ attempts }) => attempts > 0).map(({ key }) => key)
      : [task];
  const all: TaskLog[] = [];
  for (const taskKey of keys) all.push(...(await client.logs(runId, taskKey)).map((entry) => ({ taskKey, ...entry })));
  return all.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

async function followLogs(
  context: Context,
  client: LatticeClient,
  runId: string,
  task: string | undefined,
): Promise<ExitCode> {
  const { terminal, globals } = context;
  const colors = colorsOf(terminal.out, terminal.env);
  const interrupt = await interruptible();
  const entries: TaskLog[] = [];
  try {
    for await (const event of client.events(runId, { signal: interrupt.signal })) {
      const said = dataOf(event);
      const { id, at, attempt, taskKey } = event;
      if (said?.type !== 'task.log' || taskKey === null || (task !== undefined && taskKey !== task)) continue;
      const entry = { taskKey, id, at, attempt: attempt ?? 1, ...said.data };
      if (globals.json) entries.push(entry);
      else printEntry(entry, task === undefined, terminal.out, colors);
    }
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    interrupt.end();
  }
  if (globals.json) printJson(terminal.out, entries);
  return EXIT.completed;
}

function printEntry(entry: TaskLog, prefixed: boolean, out: Parameters<typeof print>[0], colors: Colors): void {
  const prefix = prefixed ? colors.dim(`${entry.taskKey} │ `) : '';
  const paint = entry.stream === 'stderr' ? colors.yellow : (text: string): string => text;
  for (const line of linesOf(entry.text)) print(out, `${prefix}${paint(line)}`);
}
