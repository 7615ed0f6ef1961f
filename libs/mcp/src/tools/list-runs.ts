import { RUN_STATUSES, runSummarySchema, type RunSummary } from '@lattice/contracts';
import { z } from 'zod';
import type { Platform, RunQuery } from '../platform';
import { READS, tool } from '../tool';
import { otherRunArgument, textArgument, timeArgument } from './arguments';

const text = textArgument();
/** Pages that a search goes through for one call. */
const MOST_PAGES = 10;

export const listRuns = tool({
  name: 'list_runs',
  title: 'List and search runs',
  description: 'Runs, newest first, by status, workflow, time, tag, worker or text. get_run shows one.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    status: z.array(z.enum(RUN_STATUSES)).min(1).optional().describe('Any of these.'),
    workflow: text.optional().describe('Name of its workflow.'),
    search: text
      .optional()
      .describe('A text within workflow, tags, schedule, error, reason or inputs; or the begin of the id.'),
    tag: text.optional(),
    schedule: text.optional().describe('Runs that this schedule made.'),
    worker: text.optional().describe('Id of a worker that had the last attempt of a task.'),
    parent: otherRunArgument
      .optional()
      .describe(
        'Runs that tasks of this run started: rounds of its maps and loops. Without it those that nobody started.',
      ),
    createdAfter: timeArgument.optional().describe('Created then or later: 2026-01-31 or 2026-01-31T12:00:00Z.'),
    createdBefore: timeArgument.optional(),
    before: otherRunArgument.optional().describe('`next` of the page before.'),
    limit: z.int().min(1).max(200).default(20),
  }),
  output: z.object({
    runs: z.array(runSummarySchema),
    next: z.string().nullable().describe('Give it as `before` for older runs; null when there are none.'),
  }),
  run: async ({ search, ...query }, { platform, signal }) => findRuns(platform, { ...query, q: search, signal }),
});

/** A search looks through a bounded number of runs a page: it is gone on with until the page is full. */
async function findRuns(
  platform: Platform,
  query: RunQuery & { limit: number },
): Promise<{ runs: RunSummary[]; next: string | null }> {
  const runs: RunSummary[] = [];
  let before = query.before;
  for (let pages = 0; ; pages += 1) {
    const page = await platform.listRuns({ ...query, limit: query.limit - runs.length, before });
    runs.push(...page.runs);
    if (page.next === null || runs.length >= query.limit || pages >= MOST_PAGES) return { runs, next: page.next };
    before = page.next;
  }
}
