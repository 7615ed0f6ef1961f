import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentJsonSchema } from '@lattice/contracts';
import { z } from 'zod';
import { READS, tool } from '../tool';

let guide: string | undefined;

/** How workflow documents are written, as Markdown. */
export function readGuide(): string {
  return (guide ??= readFileSync(join(__dirname, '..', '..', 'guide.md'), 'utf8'));
}

export const workflowGuide = tool({
  name: 'workflow_guide',
  title: 'How to write a workflow document',
  description: 'How workflow documents are written: kinds of tasks, expressions, conditions, retries, with examples.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({
    schema: z.boolean().default(false).describe('Also the JSON Schema of documents: every field there is (long).'),
  }),
  output: z.object({ markdown: z.string(), schema: z.record(z.string(), z.unknown()).optional() }),
  run: ({ schema }) => Promise.resolve({ markdown: readGuide(), ...(schema ? { schema: documentJsonSchema() } : {}) }),
  text: ({ markdown, schema }) => (schema === undefined ? markdown : `${markdown}\n\n${JSON.stringify(schema)}`),
});
