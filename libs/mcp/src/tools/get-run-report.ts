import { z } from 'zod';
import { READS, tool } from '../tool';
import { partOf } from './read-value';
import { runIdArgument } from './arguments';

export const getRunReport = tool({
  name: 'get_run_report',
  title: 'Read the report of a run',
  description:
    'A report of a run as Markdown: what it was, how it ended, every failed attempt with its error, the slowest tasks and the critical path.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    runId: runIdArgument,
    offset: z.int().min(0).default(0).describe('`next` of the part before.'),
    limit: z.int().min(1).max(100_000).default(20_000).describe('Characters of a part.'),
  }),
  output: z.object({
    markdown: z.string(),
    offset: z.int(),
    characters: z.int().describe('Length of the whole.'),
    next: z.int().nullable().describe('Give it as `offset` for the next part; null when this was the last.'),
  }),
  run: async ({ runId, ...part }, { platform, signal }) => {
    const { text: markdown, ...rest } = partOf(await platform.reportText(runId, { signal }), part);
    return { markdown, ...rest };
  },
  text: ({ markdown, characters, next }) =>
    next === null ? markdown : `${markdown}\n\n(cut: ${characters} characters in all; call again with offset ${next})`,
});
