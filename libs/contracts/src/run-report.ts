import { z } from 'zod';
import { TASK_STATUSES } from './states';

const milliseconds = z.number().int().min(0);

/** One task of a critical path. */
export const pathStepSchema = z.object({
  key: z.string(),
  startedAt: z.string().describe('When its last attempt began.'),
  finishedAt: z.string(),
  duration: milliseconds.describe('Milliseconds of its last attempt.'),
  waited: milliseconds.describe(
    'Milliseconds between the end of the task before it on the path (of the start of the run, for the first) and its own start: time in the queue, and earlier attempts.',
  ),
});
export type PathStep = z.infer<typeof pathStepSchema>;

/** What a run comes to, at this moment: counts, times, and where the time went. */
export const runReportSummarySchema = z.object({
  totals: z.record(z.enum(TASK_STATUSES), z.number().int()).describe('Tasks in each state.'),
  tasks: z.number().int().describe('Tasks in all.'),
  attempts: z.number().int().describe('Attempts of all tasks, those of earlier reruns included.'),
  retries: z.number().int().describe('Attempts beyond the first of each task.'),
  elapsed: milliseconds
    .nullable()
    .describe('Milliseconds from the start of the run to its end, or until now; null before it started.'),
  queueTime: milliseconds
    .nullable()
    .describe(
      'Milliseconds from the submission of the run (or its rerun) to its start, a delay included; null before it started.',
    ),
  executionTime: milliseconds.describe('Milliseconds of the last attempts of all tasks together.'),
  slowest: z
    .array(z.object({ key: z.string(), executionTime: milliseconds }))
    .describe('The five tasks whose last attempt took longest.'),
  criticalPath: z
    .array(pathStepSchema)
    .describe('The chain of tasks that the end of the run waited for: each began when the one before it had ended.'),
});
export type RunReportSummary = z.infer<typeof runReportSummarySchema>;
