import { InvalidArgumentError, Option, type Command } from 'commander';
import { RUN_STATUSES, parseDuration, type RunList, type RunSummary } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { EXIT, type ExitCode } from '../exit-codes';
import { between, duration, table } from '../format';
import { markOf, paintState } from '../progress/marks';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson, type Colors } from '../terminal';

/** Runs that the API gives at once. */
const LARGEST_PAGE = 1_000;

const optionsSchema = z.object({
  status: z.array(z.enum(RUN_STATUSES)).optional(),
  since: z.string().optional(),
  until: z.string().optional(),
  worker: z.string().optional(),
  search: z.string().optional(),
  workflow: z.string().optional(),
  tag: z.string().optional(),
  schedule: z.string().optional(),
  parent: z.string().optional(),
  limit: z.number().default(20),
  before: z.string().optional(),
});

export function registerRunsList(runs: Command, shell: Shell): void {
  const command = runs
    .command('list')
    .alias('ls')
    .description('Lists runs, newest first.')
    .addOption(
      new Option('--status <status>', 'only runs in this state; may be given several times')
        .choices(RUN_STATUSES)
        .argParser(collectStatus),
    )
    .option('--workflow <name>', 'only runs of this workflow')
    .option('-t, --tag <tag>', 'only runs with this tag')
    .option('--schedule <name>', 'only runs that this schedule made')
    .option('--since <time>', 'created then or later: a time (2026-01-31T12:00:00Z) or so long ago (24h)', parseTime)
    .option('--until <time>', 'created before: a time, or so long ago', parseTime)
    .option('--worker <id>', 'only runs that this worker worked for')
    .option('-s, --search <text>', 'a text within workflow, tags, error, inputs; or the begin of the id')
    .option('--parent <id>', 'runs that tasks of this run started')
    .option('--limit <n>', 'how many (default 20)', parseLimit)
    .option('--before <id>', 'only runs older than this one');
  does(shell, command, optionsSchema, list);
}

async function list(context: Context, options: z.infer<typeof optionsSchema>): Promise<ExitCode> {
  const { terminal, globals, name } = context;
  const page = await find(context.client(), options);
  if (globals.json) {
    printJson(terminal.out, page);
    return EXIT.completed;
  }
  const colors = colorsOf(terminal.out, terminal.env);
  if (page.runs.length === 0) print(terminal.out, `no runs; start one with: ${name} run FILE`);
  else print(terminal.out, renderRuns(page.runs, colors));
  if (page.next !== null) print(terminal.out, colors.dim(`\nmore: ${name} runs list --before ${page.next}`));
  return EXIT.completed;
}

/** More than a page is asked for page by page. A search gives what it found so far: it is gone on with until there are enough. */
async function find(client: LatticeClient, options: z.infer<typeof optionsSchema>): Promise<RunList> {
  const { since, until, search, limit, ...filter } = options;
  const asked = { ...filter, createdAfter: since, createdBefore: until, q: search };
  const runs: RunSummary[] = [];
  for (let before = options.before; ;) {
    const page = await client.listRuns({ ...asked, limit: Math.min(LARGEST_PAGE, limit - runs.length), before });
    runs.push(...page.runs);
    if (page.next === null || runs.length >= limit) return { runs, next: page.next };
    before = page.next;
  }
}

export function renderRuns(runs: readonly RunSummary[], colors: Colors): string {
  return table(
    runs,
    [
      { title: 'RUN', of: (run) => run.runId },
      { title: 'WORKFLOW', of: (run) => run.workflow },
      {
        title: 'STATUS',
        of: (run) => `${markOf(run.status)} ${run.status}`,
        paint: (text, run) => paintState(run.status, colors)(text),
      },
      { title: 'CREATED (UTC)', of: (run) => run.createdAt.slice(0, 19).replace('T', ' ') },
      { title: 'TOOK', of: took, align: 'right' },
      { title: 'TAGS', of: (run) => run.tags.join(', '), paint: (text) => colors.dim(text) },
    ],
    colors.dim,
  );
}

function took(run: RunSummary): string {
  const ms = between(run.startedAt, run.finishedAt);
  return ms === undefined ? '' : duration(ms);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('It must be a positive integer.');
  return limit;
}

/** A time as ISO 8601; a duration means so long before now. */
function parseTime(text: string): string {
  const ago = parseDuration(text);
  const time = ago === undefined ? Date.parse(text) : Date.now() - ago;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write a time (2026-01-31T12:00:00Z) or a duration (24h).');
  return new Date(time).toISOString();
}

function collectStatus(text: string, before: string[] | undefined): string[] {
  if (!RUN_STATUSES.some((status) => status === text)) {
    throw new InvalidArgumentError(`Allowed choices are ${RUN_STATUSES.join(', ')}.`);
  }
  return [...(before ?? []), text];
}
