import { LatticeError, runLogEntrySchema, type RunLogEntry } from '@lattice/contracts';
import { z } from 'zod';
import type { LogQuery } from '../platform';
import { READS, tool, type ToolContext } from '../tool';
import { runIdArgument, taskArgument, textArgument } from './arguments';

/** Entries that are asked for at once. */
const PAGE = 5_000;
/** Pages that are read for the end of a log: 200,000 entries. */
const MOST_PAGES = 40;
/** Characters of one entry that are shown. */
const MOST_ENTRY = 4_000;

const inputSchema = z.strictObject({
  runId: runIdArgument,
  task: taskArgument.optional().describe('Key of a task; all tasks when absent.'),
  attempt: z.int().positive().optional().describe('Of this attempt only.'),
  search: textArgument().optional().describe('Only entries that hold this text, in letters of any case.'),
  from: z.enum(['start', 'end']).default('end').describe('Whether the first or the last entries are shown.'),
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'not the id of an entry')
    .optional()
    .describe('Only entries after this one: an id, or `next` of the page before.'),
  limit: z.int().min(1).max(1_000).default(200).describe('Entries that are shown.'),
  characters: z.int().min(1_000).max(100_000).default(20_000).describe('Of all texts shown together.'),
});
type Asked = z.output<typeof inputSchema>;

export const readLogs = tool({
  name: 'read_logs',
  title: 'Read logs',
  description:
    'What tasks of a run wrote to stdout and stderr, in order: the last entries, or from the start. `shown` and `next` say whether there is more.',
  needs: 'viewer',
  hints: READS,
  input: inputSchema,
  output: z.object({
    logs: z.array(runLogEntrySchema.extend({ cut: z.int().optional().describe('Characters of the entry in all.') })),
    before: z.int().describe('Entries that fit and come before those shown; with `from: start` they are not counted.'),
    next: z.string().nullable().describe('Give it as `after`, with `from: start`, for what follows; null at the end.'),
  }),
  run: async (asked, context) => {
    const read = asked.from === 'start' ? await readStart(asked, context) : await readEnd(asked, context);
    if (read.logs.length === 0 && asked.task !== undefined) await requireTask(asked.task, asked.runId, context);
    return read;
  },
});

interface Shown {
  logs: (RunLogEntry & { cut?: number })[];
  before: number;
  next: string | null;
}

async function readStart(asked: Asked, context: ToolContext): Promise<Shown> {
  const kept: RunLogEntry[] = [];
  let room = asked.characters;
  let last: string | null = null;
  for await (const { logs, next } of pagesOf(asked, context, asked.limit)) {
    for (const entry of logs) {
      if (kept.length >= asked.limit || (room <= 0 && kept.length > 0))
        return { logs: kept.map(short), before: 0, next: last };
      last = entry.id;
      if (!fits(entry, asked)) continue;
      kept.push(entry);
      room -= Math.min(entry.text.length, MOST_ENTRY);
    }
    last = next;
  }
  return { logs: kept.map(short), before: 0, next: last };
}

async function readEnd(asked: Asked, context: ToolContext): Promise<Shown> {
  const kept: RunLogEntry[] = [];
  let before = 0;
  let room = asked.characters;
  let last: string | null = null;
  for await (const { logs, next } of pagesOf(asked, context, PAGE)) {
    for (const entry of logs) {
      if (!fits(entry, asked)) continue;
      kept.push(entry);
      room -= Math.min(entry.text.length, MOST_ENTRY);
      while (kept.length > asked.limit || (room < 0 && kept.length > 1)) {
        room += Math.min(kept.shift()?.text.length ?? 0, MOST_ENTRY);
        before += 1;
      }
    }
    last = next;
  }
  return { logs: kept.map(short), before, next: last };
}

async function* pagesOf(
  { runId, task, search, after }: Asked,
  { platform, signal }: ToolContext,
  limit: number,
): AsyncGenerator<{ logs: RunLogEntry[]; next: string | null }, void, undefined> {
  const query: LogQuery = { task, q: search, limit, signal };
  let at = after;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await platform.logPage(runId, { ...query, after: at });
    yield page;
    if (page.next === null) return;
    at = page.next;
  }
}

function fits({ attempt }: RunLogEntry, asked: Asked): boolean {
  return asked.attempt === undefined || asked.attempt === attempt;
}

function short(entry: RunLogEntry): RunLogEntry & { cut?: number } {
  const { length } = entry.text;
  return length <= MOST_ENTRY ? entry : { ...entry, text: entry.text.slice(0, MOST_ENTRY), cut: length };
}

/** No entries may mean that the task wrote nothing, or that there is no such task. */
async function requireTask(key: string, runId: string, { platform, signal }: ToolContext): Promise<void> {
  const { tasks } = await platform.getRun(runId, { signal });
  if (!tasks.some((task) => task.key === key))
    throw new LatticeError('task_not_found', `Run ${runId} has no task "${key}".`);
}
