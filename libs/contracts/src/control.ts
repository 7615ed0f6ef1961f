import { z } from 'zod';
import { ON_FAILURE, taskSchema } from './document';
import { taskKeySchema } from './ids';

/** Kinds of tasks that hold no worker: schedulers take their steps. */
export const CONTROL_KINDS = ['transform', 'switch', 'map', 'loop', 'wait', 'workflow'] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];

/** A map takes lists up to this long; a loop does not go round more often. */
export const MAX_ITEMS = 10_000;
/** Items of a map that run at the same time, when nothing else is asked. */
const DEFAULT_CONCURRENCY = 100;
/** Rounds of a loop, when nothing else is asked. */
const DEFAULT_ROUNDS = 100;

/** Name of a signal. */
export const signalNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, 'not a name of a signal: letters, digits, . _ -, up to 128');

const taskListSchema = z.union([taskKeySchema, z.array(taskKeySchema)]);

/** `with` of a switch: the tasks of the case that equals `on` run, those of the other cases are skipped. */
export const switchWithSchema = z.strictObject({
  on: z.json().describe('The value to compare, as text: an expression.'),
  cases: z.record(z.string(), taskListSchema).describe('Value -> the first tasks of its arm.'),
  default: taskListSchema.optional().describe('The arm when no case equals the value; without it none is taken.'),
});

const bodyFields = {
  do: taskSchema.omit({ needs: true }).optional().describe('The one task to do.'),
  tasks: z.record(taskKeySchema, taskSchema).optional().describe('Instead of `do`: a graph.'),
  output: z
    .json()
    .optional()
    .describe('Of the graph: an expression over its tasks. With `do` it is the output of the task.'),
};
const onlyOne = (body: { do?: unknown; tasks?: unknown }): boolean =>
  (body.do === undefined) !== (body.tasks === undefined);
const ONLY_ONE = 'give either "do" (one task) or "tasks" (a graph)';

/** `with` of a map: a run of the body for each item, the outputs in the order of the items. */
export const mapWithSchema = z
  .strictObject({
    over: z.json().describe('The list: an expression.'),
    concurrency: z.int().min(1).max(1_000).default(DEFAULT_CONCURRENCY).describe('Items that run at the same time.'),
    onFailure: z
      .enum(ON_FAILURE)
      .default('cancel')
      .describe(
        'cancel: the first failed item ends the others and fails the map. continue: the output tells how each ended.',
      ),
    ...bodyFields,
  })
  .refine(onlyOne, ONLY_ONE);

/** `with` of a loop: runs of the body one after the other. */
export const loopWithSchema = z
  .strictObject({
    while: z.union([z.string(), z.boolean()]).optional().describe('Asked before each round.'),
    until: z.union([z.string(), z.boolean()]).optional().describe('Asked after each round.'),
    initial: z.json().optional().describe('`each.last` of the first round; default null.'),
    maxRounds: z.int().min(1).max(MAX_ITEMS).default(DEFAULT_ROUNDS).describe('A loop that would go on fails.'),
    ...bodyFields,
  })
  .refine(onlyOne, ONLY_ONE)
  .refine((loop) => loop.while !== undefined || loop.until !== undefined, 'a loop needs "while" or "until"');

/** `with` of a wait: exactly one of the four. */
export const waitWithSchema = z
  .strictObject({
    for: z.string().optional().describe('A duration: 30s, 5m.'),
    until: z.string().optional().describe('A time: ISO 8601.'),
    signal: signalNameSchema.optional().describe('The output is what was sent with POST /v1/runs/:id/signals/NAME.'),
    approval: z
      .strictObject({ message: z.string().optional() })
      .optional()
      .describe('A signal named like the task, with {"approved": true or false}; false fails the task.'),
  })
  .refine(
    (wait) => Object.values(wait).filter((value) => value !== undefined).length === 1,
    'give exactly one of "for", "until", "signal", "approval"',
  );

/** What an approval is told. */
export const approvalSchema = z.object({ approved: z.boolean(), comment: z.string().optional() }).loose();
