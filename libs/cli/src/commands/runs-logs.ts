import type { Command } from 'commander';
import type { LogEntry } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { interruptible } from '../interrupt';
import { dataOf, linesOf } from '../progress/run-state';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

const optionsSchema = z.object({
  follow: z.boolean().default(false),
  search: z.string().min(1).optional(),
});
type Options = z.infer<typeof optionsSchema>;

export function registerRunsLogs(runs: Command, shell: Shell): void {
  const command = runs
    .command('logs')
    .description('Prints the logs of a run, or of one of its tasks.')
    .argument('<id>', 'id of the run')
    .argument('[task]', 'key of the task; all when absent')
    .option('-s, --search <text>', 'only lines that hold this text, in letters of any case')
    .option('-f, --follow', 'go on printing until the run ends');
  does(shell, command, optionsSchema, logs);
}

/** Of which logs, and which lines of them. */
interface Wanted {
  readonly runId: string;
  readonly task: string | undefined;
  readonly search: string | undefined;
}

interface TaskLog extends LogEntry {
  taskKey: string;
}

async function logs(context: Context, { follow, search }: Options, args: readonly string[]): Promise<ExitCode> {
  const [runId = '', task] = args;
  const wanted = { runId, task, search };
  const client = context.client();
  if (follow) return await followLogs(context, client, wanted);
  const entries = await readLogs(client, wanted);
  if (context.globals.json) printJson(context.terminal.out, entries);
  else for (const entry of entries) printEntry(entry, wanted, context);
  return EXIT.completed;
}

/** In the order in which they came; of a task that is not there the server says so. */
async function readLogs(client: LatticeClient, { runId, task, search }: Wanted): Promise<TaskLog[]> {
  if (task === undefined || search !== undefined) return await client.searchLogs(runId, { q: search, task });
  return (await client.logs(runId, task)).map((entry) => ({ taskKey: task, ...entry }));
}

async function followLogs(context: Context, client: LatticeClient, wanted: Wanted): Promise<ExitCode> {
  const { terminal, globals } = context;
  const interrupt = await interruptible();
  const entries: TaskLog[] = [];
  try {
    for await (const event of client.events(wanted.runId, { signal: interrupt.signal })) {
      const said = dataOf(event);
      const { id, at, attempt, taskKey } = event;
      if (said?.type !== 'task.log' || taskKey === null) continue;
      if (wanted.task !== undefined && taskKey !== wanted.task) continue;
      const entry = { taskKey, id, at, attempt: attempt ?? 1, ...said.data };
      if (!globals.json) printEntry(entry, wanted, context);
      else if (holds(entry.text, wanted.search)) entries.push(entry);
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

function holds(text: string, search: string | undefined): boolean {
  return search === undefined || text.toLowerCase().includes(search.toLowerCase());
}

/** An entry may have several lines: of a search those are shown that hold the text. */
function printEntry(entry: TaskLog, { task, search }: Wanted, { terminal: { out, env } }: Context): void {
  const colors = colorsOf(out, env);
  const prefix = task === undefined ? colors.dim(`${entry.taskKey} │ `) : '';
  const paint = entry.stream === 'stderr' ? colors.yellow : (text: string): string => text;
  for (const line of linesOf(entry.text)) {
    if (holds(line, search)) print(out, `${prefix}${marked(line, { search, paint, colors })}`);
  }
}

/** The line with what was searched for standing out. */
function marked(
  line: string,
  { search, paint, colors }: { search: string | undefined; paint: (text: string) => string; colors: Colors },
): string {
  const at = search === undefined ? -1 : line.toLowerCase().indexOf(search.toLowerCase());
  if (search === undefined || at < 0) return paint(line);
  const end = at + search.length;
  return `${paint(line.slice(0, at))}${colors.bold(colors.red(line.slice(at, end)))}${paint(line.slice(end))}`;
}
