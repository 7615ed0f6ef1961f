import { faultSchema } from '@lattice/contracts';
import { z } from 'zod';
import { READS, tool } from '../tool';
import { documentArguments, givenDocument } from './document-arguments';

export const validateWorkflow = tool({
  name: 'validate_workflow',
  title: 'Check a document',
  description: 'Checks a workflow document without saving or running it, and lists all its faults with their places.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject(documentArguments),
  output: z.object({ valid: z.boolean(), faults: z.array(faultSchema) }),
  run: async (given, { platform, signal }) => {
    const { valid, faults } = await platform.validate(givenDocument(given), { signal });
    return { valid, faults: [...faults] };
  },
});
