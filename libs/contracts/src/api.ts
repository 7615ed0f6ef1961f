import { z } from 'zod';
import { artifactSchema } from './artifact';
import { MAX_TASKS, documentSchema, prioritySchema, type inputSchema } from './document';
import { durationSchema } from './duration';
import { faultSchema, taskErrorSchema } from './errors';
import { workflowNameSchema } from './ids';
import { runReportSummarySchema } from './run-report';
import { RUN_STATUSES, TASK_STATUSES } from './states';

/** Body of POST /v1/runs. `workflow` is the name of a saved workflow or a document. */
export const submitRunSchema = z.strictObject({
  workflow: z.union([workflowNameSchema, z.record(z.string(), z.unknown())]),
  version: z.int().positive().optional().describe('Of a saved workflow; the newest when absent.'),
  inputs: z.record(z.string(), z.json()).optional(),
  priority: prioritySchema.optional(),
  delay: durationSchema.optional(),
  deadline: z
    .union([durationSchema, z.iso.datetime({ offset: true })])
    .optional()
    .describe('The run fails if it has not ended by then: a time (ISO 8601), or a duration from the submission.'),
  tags: z.array(z.string().max(100)).max(50).optional(),
});
export type SubmitRun = z.infer<typeof submitRunSchema>;

/** Body of POST /v1/runs/:id/tasks/:key/rerun; may be left out. */
export const rerunTaskSchema = z.strictObject({
  downstream: z
    .boolean()
    .default(true)
    .describe('false: this task alone; what comes after it keeps results made from its old output.'),
});

/** Body of POST /v1/runs/:id/fork. */
export const forkRunSchema = z.strictObject({
  from: z
    .union([z.string(), z.array(z.string()).min(1).max(MAX_TASKS)])
    .describe('The task, or tasks, from which on everything is done anew.'),
  inputs: z
    .record(z.string(), z.json())
    .optional()
    .describe('Inputs that differ from those of the run. No task that is reused may refer to them.'),
});
export type ForkRun = z.infer<typeof forkRunSchema>;

export const submittedSchema = z.object({ runId: z.uuid() });

const time = z.string().nullable();

/** A task of a run as GET /v1/runs/:id shows it. */
export const taskViewSchema = z.object({
  key: z.string(),
  status: z.enum(TASK_STATUSES),
  queuedAt: time.optional().describe('When its job was queued; null for a task that went on in the job of another.'),
  startedAt: time,
  finishedAt: time,
  executionTime: z
    .number()
    .int()
    .nullable()
    .optional()
    .describe('Milliseconds of the last attempt, when it has ended.'),
  attempts: z.number().int(),
  reused: z.boolean().optional().describe('The result is from before this run, or this rerun of it, began.'),
  workerId: z.string().nullable(),
  output: z.unknown(),
  artifacts: z
    .array(artifactSchema)
    .optional()
    .describe('Files that the task left, by name; absent when it left none.'),
  outputArtifact: artifactSchema
    .optional()
    .describe('The output, when it is too large to be kept inline; `output` is null then.'),
  cached: z.boolean().optional().describe('True when the result of another run was taken over.'),
  error: taskErrorSchema.nullable(),
  reason: z.string().nullable().describe('Why it is queued, skipped or cancelled.'),
  waitsFor: z
    .object({ signal: z.string(), message: z.string().optional().describe('What an approval asks.') })
    .optional()
    .describe(
      'The signal that lets it go on: POST /v1/runs/:id/signals/NAME. That of an approval is named like the task.',
    ),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** A run in a list. */
export const runSummarySchema = z.object({
  runId: z.uuid(),
  workflow: z.string(),
  version: z.number().int().nullable(),
  status: z.enum(RUN_STATUSES),
  priority: z.number().int(),
  tags: z.array(z.string()),
  createdAt: z.string(),
  startedAt: time,
  finishedAt: time,
  parent: z
    .object({ runId: z.uuid(), task: z.string(), attempt: z.number().int(), index: z.number().int() })
    .nullish()
    .describe('The task that started it: a round of a map or loop, or a sub-workflow.'),
  schedule: z.string().nullish().describe('The schedule that made it.'),
  tick: time.optional().describe('The tick of the schedule; null when it was triggered by hand.'),
  forkedFrom: z.uuid().nullable().optional().describe('The run that this one was forked from.'),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

/** GET /v1/runs/:id, and /wait. */
export const runViewSchema = runSummarySchema.extend({
  inputs: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.unknown()).nullable(),
  error: taskErrorSchema.nullable(),
  reopenedAt: time.optional().describe('When it was opened again by the last retry or rerun.'),
  summary: runReportSummarySchema.optional(),
  reason: z.string().nullish().describe('Why it waits to be started, or was cancelled.'),
  tasks: z.array(taskViewSchema),
});
export type RunView = z.infer<typeof runViewSchema>;

export const runListSchema = z.object({ runs: z.array(runSummarySchema), next: z.string().nullable() });
export type RunList = z.infer<typeof runListSchema>;

/** POST /v1/workflows answers the version that the document has now; saving the same document twice gives the same. */
export const savedWorkflowSchema = z.object({
  name: z.string(),
  version: z.number().int(),
  createdAt: z.string(),
  document: documentSchema,
});
export type SavedWorkflow = z.infer<typeof savedWorkflowSchema>;

export const workflowListSchema = z.object({
  workflows: z.array(savedWorkflowSchema.omit({ document: true })),
  next: z.string().nullable(),
});

/** DELETE /v1/cache. */
export const clearedSchema = z.object({ cleared: z.number().int().describe('Results that are not there any more.') });

/** POST /v1/workflows/validate. */
export const validationSchema = z.object({
  valid: z.boolean(),
  faults: z.array(faultSchema),
});

/** GET /v1/runs/:id/tasks/:key/logs, one entry. */
export const logEntrySchema = z.object({
  id: z.string(),
  attempt: z.number().int(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  at: z.string(),
});
export type LogEntry = z.infer<typeof logEntrySchema>;

/** GET /v1/runs/:id/logs, one entry. */
export const runLogEntrySchema = logEntrySchema.extend({ taskKey: z.string() });
export type RunLogEntry = z.infer<typeof runLogEntrySchema>;

export const runLogPageSchema = z.object({ logs: z.array(runLogEntrySchema), next: z.string().nullable() });

/** An attempt of a task, as a report shows it. */
export const attemptReportSchema = z.object({
  task: z.string(),
  attempt: z.number().int(),
  status: z.enum(['running', 'completed', 'failed', 'cancelled']),
  workerId: z.string(),
  level: z.string().nullable().describe('The sandbox level it ran at.'),
  startedAt: z.string(),
  finishedAt: time,
  duration: z.number().int().nullable().describe('Milliseconds.'),
  error: taskErrorSchema.nullable(),
});
export type AttemptReport = z.infer<typeof attemptReportSchema>;

/** GET /v1/runs/:id/report. */
export const runReportSchema = z.object({ run: runViewSchema, attempts: z.array(attemptReportSchema) });
export type RunReport = z.infer<typeof runReportSchema>;

export type InputDeclaration = z.infer<typeof inputSchema>;
