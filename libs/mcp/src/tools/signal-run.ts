import { z } from 'zod';
import { ADDS, tool } from '../tool';
import { askedSchema, statusAfter } from './control-run';
import { runIdArgument, taskArgument, textArgument } from './arguments';

export const signalRun = tool({
  name: 'signal_run',
  title: 'Send a signal to a run',
  description:
    'A task that waits for a signal of this name takes it, also when it begins to wait only later; each signal is taken by one task. The payload becomes its output.',
  needs: 'operator',
  hints: ADDS,
  input: z.strictObject({
    runId: runIdArgument,
    name: textArgument().describe('Name of the signal, as the task has it in `with.signal`.'),
    payload: z.unknown().optional().describe('Any JSON value; null when absent.'),
  }),
  output: askedSchema,
  run: async ({ runId, name, payload }, context) => {
    await context.platform.signal(runId, name, payload ?? null, { signal: context.signal });
    return statusAfter(context, runId);
  },
});

export const answerApproval = tool({
  name: 'answer_approval',
  title: 'Answer an approval',
  description:
    'Says yes or no to a task that asks for an approval; no fails the task. Ask the person you work for before you answer in their name.',
  needs: 'operator',
  hints: { ...ADDS, destructiveHint: true },
  input: z.strictObject({
    runId: runIdArgument,
    task: taskArgument,
    approved: z.boolean(),
    comment: z.string().max(10_000).optional().describe('Kept with the answer.'),
  }),
  output: askedSchema,
  run: async ({ runId, task, approved, comment }, context) => {
    const payload = { approved, ...(comment === undefined ? {} : { comment }) };
    await context.platform.signal(runId, task, payload, { signal: context.signal });
    return statusAfter(context, runId);
  },
});
