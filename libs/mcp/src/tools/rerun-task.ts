import { rerunTaskSchema } from '@lattice/contracts';
import { z } from 'zod';
import { ADDS, tool } from '../tool';
import { askedSchema, statusAfter } from './control-run';
import { runIdArgument, taskArgument } from './arguments';

export const rerunTask = tool({
  name: 'rerun_task',
  title: 'Run a task again',
  description:
    'Runs a task of an ended run again, with all that is downstream of it; their old results are replaced, the run keeps its id and its other results.',
  needs: 'operator',
  hints: { ...ADDS, destructiveHint: true },
  input: z.strictObject({
    runId: runIdArgument,
    task: taskArgument,
    downstream: rerunTaskSchema.shape.downstream,
  }),
  output: askedSchema,
  run: async ({ runId, task, downstream }, context) => {
    await context.platform.rerun(runId, task, { downstream, signal: context.signal });
    return statusAfter(context, runId);
  },
});
