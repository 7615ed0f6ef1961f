import { TASK_STATUSES, taskViewSchema, type TaskView } from '@lattice/contracts';
import { z } from 'zod';
import type { Cuts } from './cut';
import { errorShownSchema, showError } from './show-run';

/** A task of a run; fields that say nothing are left out. */
export const taskShownSchema = z.object({
  key: z.string(),
  status: z.enum(TASK_STATUSES),
  attempts: z.int(),
  reason: z.string().optional().describe('Why it is queued, skipped or cancelled.'),
  waitsFor: taskViewSchema.shape.waitsFor,
  workerId: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  executionTime: z.int().optional().describe('Milliseconds of the last attempt.'),
  cached: z.boolean().optional().describe('The result of an earlier run was taken over.'),
  error: errorShownSchema.optional(),
  output: z.unknown().optional(),
  artifacts: z.unknown().optional().describe('Files that the task left: name -> id, size, mediaType.'),
});
export type TaskShown = z.input<typeof taskShownSchema>;

/** Characters of JSON of an output, and of the list of files, that are shown. */
const MOST_OUTPUT = 1_500;

/** The task; what was too long is added to `cuts`, with pointers below `at`. */
export function showTask(task: TaskView, cuts: Cuts, { runId, at }: { runId: string; at: string }): TaskShown {
  const read = (what: string) => ({ tool: 'read_value', arguments: { runId, task: task.key, what } });
  const files = filesOf(task);
  return {
    key: task.key,
    status: task.status,
    attempts: task.attempts,
    ...present('reason', task.reason),
    ...present('waitsFor', task.waitsFor),
    ...present('workerId', task.workerId),
    ...present('startedAt', task.startedAt),
    ...present('finishedAt', task.finishedAt),
    ...present('executionTime', task.executionTime),
    ...present('cached', task.cached),
    ...(task.error === null ? {} : { error: showError(task.error, cuts, { at: `${at}/error`, read: read('error') }) }),
    ...(task.status === 'completed'
      ? { output: cuts.value(task.output, { at: `${at}/output`, read: read('output'), most: MOST_OUTPUT }) }
      : {}),
    ...(files.length === 0
      ? {}
      : {
          artifacts: cuts.value(Object.fromEntries(files), {
            at: `${at}/artifacts`,
            read: read('artifacts'),
            most: MOST_OUTPUT,
          }),
        }),
  };
}

/** Its files by name, the output among them when it was too large to be kept inline. */
export function filesOf({ artifacts = [], outputArtifact }: TaskView): [name: string, file: object][] {
  const all = outputArtifact === undefined ? artifacts : [...artifacts, outputArtifact];
  return all.map(({ name, id, size, mediaType }) => [name, { id, size, mediaType }]);
}

function present<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { [name in Name]?: Value } | Record<never, never> {
  return value === null || value === undefined ? {} : { [name]: value };
}
