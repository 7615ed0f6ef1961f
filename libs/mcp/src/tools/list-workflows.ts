import { z } from 'zod';
import { READS, tool } from '../tool';

const workflowSchema = z.object({ name: z.string(), version: z.int(), createdAt: z.string() });

export const listWorkflows = tool({
  name: 'list_workflows',
  title: 'List workflows',
  description: 'Saved workflows by name, each in its newest version. get_workflow shows one with its inputs.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    search: z.string().min(1).optional().describe('A text within the name, in letters of any case.'),
    after: z.string().optional().describe('`next` of the page before.'),
    limit: z.int().min(1).max(500).default(100),
  }),
  output: z.object({
    workflows: z.array(workflowSchema),
    total: z.int().describe('Workflows that fit, on all pages.'),
    next: z.string().nullable().describe('Give it as `after` for the next page; null on the last.'),
  }),
  run: async ({ search, after, limit }, { platform, signal }) => {
    const all = await platform.listWorkflows({ signal });
    const wanted = search?.toLowerCase();
    const fitting = all.filter(({ name }) => wanted === undefined || name.toLowerCase().includes(wanted));
    const from = after === undefined ? 0 : fitting.findIndex(({ name }) => name === after) + 1;
    const page = fitting.slice(from, from + limit);
    return {
      workflows: page,
      total: fitting.length,
      next: from + page.length < fitting.length ? (page.at(-1)?.name ?? null) : null,
    };
  },
});
