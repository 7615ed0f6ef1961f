import { z } from 'zod';
import { ADDS, tool } from '../tool';
import { outcomeSchema, waitForRun, waitSchema } from '../wait-for-run';
import { runIdArgument, taskArgument } from './arguments';
import { idempotencyKeyArgument } from './run-workflow';

export const forkRun = tool({
  name: 'fork_run',
  title: 'Fork a run',
  description:
    'Starts a new run that takes over the finished tasks of another, but for those in `from` and all downstream of them; the other run stays as it is.',
  needs: 'operator',
  hints: ADDS,
  input: z.strictObject({
    runId: runIdArgument,
    from: z.array(taskArgument).min(1).max(10_000).describe('Keys of the tasks from which on everything is done anew.'),
    inputs: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Inputs that differ from those of the run. No task that is reused may refer to them.'),
    wait: waitSchema.default('20s'),
    idempotencyKey: idempotencyKeyArgument,
  }),
  output: outcomeSchema,
  run: async ({ runId, wait, ...rest }, context) => {
    const forked = await context.platform.fork(runId, { ...rest, signal: context.signal });
    return waitForRun(context, forked.runId, wait);
  },
});
