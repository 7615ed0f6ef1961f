import { RUN_STATUSES, TASK_STATUSES, isFinalRun, type RunView, type TaskError } from '@lattice/contracts';
import { z } from 'zod';
import { hintOf } from '../hint-of';
import { Cuts, cutSchema, type Cut } from './cut';

const time = z.string().nullable();

export const errorShownSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional().describe('What to do about it.'),
  retryable: z.boolean().describe('Whether another attempt may end otherwise.'),
  details: z.unknown().optional(),
});

/** A run as tools show it: without its tasks, and with values up to a length. */
export const runShownSchema = z.object({
  runId: z.string(),
  workflow: z.string(),
  version: z.int().nullable().describe('Of the saved workflow; null when the document came with the run.'),
  status: z.enum(RUN_STATUSES),
  ended: z.boolean(),
  reason: z.string().nullable().describe('Why it waits to be started, or was cancelled.'),
  error: errorShownSchema.nullable(),
  inputs: z.unknown(),
  outputs: z.unknown().describe('Null until the run has completed.'),
  tasks: z
    .partialRecord(z.enum(TASK_STATUSES), z.int())
    .describe('How many tasks are in each state; states without tasks are left out.'),
  elapsed: z.int().nullable().describe('Milliseconds from its start to its end, or until now.'),
  createdAt: z.string(),
  startedAt: time,
  finishedAt: time,
  tags: z.array(z.string()),
  cut: cutSchema,
});
export type RunShown = z.input<typeof runShownSchema>;

/** Characters of JSON of inputs and outputs, and of the message of an error, that are shown. */
const MOST_VALUE = 6_000;
const MOST_MESSAGE = 2_000;

/** The run without its tasks; what was too long is added to `cuts`. */
export function showRun(run: RunView, cuts: Cuts = new Cuts()): RunShown {
  const { runId } = run;
  const read = (what: string) => ({ tool: 'read_value', arguments: { runId, what } });
  return {
    runId,
    workflow: run.workflow,
    version: run.version,
    status: run.status,
    ended: isFinalRun(run.status),
    reason: run.reason ?? null,
    error: run.error === null ? null : showError(run.error, cuts, { at: '/error', read: read('error') }),
    inputs: cuts.value(run.inputs, { at: '/inputs', read: read('inputs'), most: MOST_VALUE }),
    outputs: cuts.value(run.outputs, { at: '/outputs', read: read('outputs'), most: MOST_VALUE }),
    tasks: countTasks(run),
    elapsed: run.summary?.elapsed ?? null,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    tags: run.tags,
    cut: cuts.list,
  };
}

/** An error with what to do about it. */
export function showError(
  error: TaskError,
  cuts: Cuts,
  { at, read }: Pick<Cut, 'at' | 'read'>,
): z.input<typeof errorShownSchema> {
  const details = { ...error.details, ...(error.cause === undefined ? {} : { cause: error.cause }) };
  return {
    code: error.code,
    message: cuts.text(error.message, { at: `${at}/message`, read, most: MOST_MESSAGE }),
    ...hintOf(error.code),
    retryable: error.retryable,
    ...(Object.keys(details).length === 0
      ? {}
      : { details: cuts.value(details, { at: `${at}/details`, read, most: MOST_MESSAGE }) }),
  };
}

function countTasks({ summary, tasks }: RunView): RunShown['tasks'] {
  const counts: RunShown['tasks'] = {};
  for (const status of TASK_STATUSES) {
    const count = summary?.totals[status] ?? tasks.filter((task) => task.status === status).length;
    if (count > 0) counts[status] = count;
  }
  return counts;
}
