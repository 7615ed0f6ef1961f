import { z } from 'zod';
import { artifactSchema } from './artifact';
import { taskErrorSchema } from './errors';

const none = z.object({});
const json = z.unknown();

/**
 * Catalogue of events: type -> shape of `data`. An event is written once, by whoever did the thing, into the event stream
 * in Redis; the historian gives it its id when it commits it to Postgres; clients see it after that.
 */
export const EVENTS = {
  'run.created': z
    .object({
      workflow: z.string(),
      version: z.number().int().optional(),
      forkedFrom: z.string().optional(),
      schedule: z.string().optional(),
      tick: z.string().optional(),
    })
    .describe('`schedule` made the run for its `tick`, or by hand when there is no tick'),
  'run.started': none,
  'run.paused': none,
  'run.resumed': z
    .object({ reason: z.enum(['retry', 'rerun']).optional(), task: z.string().optional() })
    .describe('Without a reason it was paused; `task` is the one that is rerun.'),
  'run.waiting': z
    .object({ task: z.string().optional(), signal: z.string().optional(), message: z.string().optional() })
    .describe('A task waits for a signal, or for an approval (a signal named like the task).'),
  'run.recovered': z.object({ reason: z.string() }),
  'run.completed': z.object({ outputs: json }),
  'run.failed': z.object({ error: taskErrorSchema, outputs: json.optional() }),
  'run.cancelled': z.object({ reason: z.string().optional() }),
  'task.queued': z.object({ class: z.string().optional(), reason: z.string().optional() }),
  'task.started': z.object({ workerId: z.string(), level: z.string().optional() }),
  'task.retrying': z.object({ delay: z.number(), error: taskErrorSchema }).describe('`delay` in milliseconds'),
  'task.progress': z.object({ percent: z.number().min(0).max(100), text: z.string().optional() }),
  'task.log': z.object({ stream: z.enum(['stdout', 'stderr']), text: z.string() }),
  'task.completed': z
    .object({
      output: json,
      cached: z.boolean().optional().describe('The result of another run was taken over: nothing was done.'),
      cachedFrom: z.uuid().optional().describe('That run.'),
      artifacts: z
        .array(artifactSchema)
        .optional()
        .describe('Files that the task left: the first 100, GET /v1/runs/:id/artifacts has all.'),
    })
    .describe('`output` is null in the event when it is kept apart for its size'),
  'task.failed': z.object({ error: taskErrorSchema }),
  'task.skipped': z.object({ reason: z.string() }),
  'task.cancelled': z.object({ reason: z.string() }),
} as const satisfies Record<string, z.ZodType>;

export type EventType = keyof typeof EVENTS;
export const EVENT_TYPES = Object.keys(EVENTS).filter(isEventType);

/** True when the text names an event type. */
export function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENTS, text);
}

/** An event as clients see it, over SSE, WebSocket and REST. `id` rises in the order of commits, over all runs. */
export const eventSchema = z.object({
  id: z.string().describe('A bigint as text.'),
  type: z.string(),
  runId: z.string(),
  taskKey: z.string().nullable(),
  attempt: z.number().int().nullable(),
  at: z.string().describe('ISO 8601, UTC, milliseconds.'),
  data: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.infer<typeof eventSchema>;

/** The events after which a run says nothing more (until a rerun). */
export const FINAL_EVENTS: readonly EventType[] = ['run.completed', 'run.failed', 'run.cancelled'];

/** True when the event ends a run. */
export function isFinalEvent(type: string): boolean {
  return FINAL_EVENTS.some((final) => final === type);
}
