import { z } from 'zod';
import { ADDS, tool } from '../tool';
import { documentArguments, givenDocument } from './document-arguments';

export const saveWorkflow = tool({
  name: 'save_workflow',
  title: 'Save a workflow',
  description:
    'Saves a document under its name. A changed document is a new version, the same again keeps its version; older versions stay.',
  needs: 'operator',
  hints: { ...ADDS, idempotentHint: true, openWorldHint: false },
  input: z.strictObject(documentArguments),
  output: z.object({ name: z.string(), version: z.int(), createdAt: z.string() }),
  run: async (given, { platform, signal }) => {
    const { name, version, createdAt } = await platform.saveWorkflow(givenDocument(given), { signal });
    return { name, version, createdAt };
  },
});
