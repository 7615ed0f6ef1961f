import { z } from 'zod';
import { READS, tool } from '../tool';
import { outcomeSchema, waitForRun as wait, waitSchema } from '../wait-for-run';
import { runIdArgument } from './arguments';

export const waitForRun = tool({
  name: 'wait_for_run',
  title: 'Wait for a run',
  description:
    'Waits until a run has ended, up to `wait`, and gives its status, outputs and what failed. Call it again when it has not.',
  needs: 'viewer',
  hints: READS,
  input: z.strictObject({ runId: runIdArgument, wait: waitSchema.default('30s') }),
  output: outcomeSchema,
  run: (input, context) => wait(context, input.runId, input.wait),
});
