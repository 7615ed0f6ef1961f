import { z } from 'zod';
import { taskErrorSchema } from './errors';

/**
 * The frames of WS /v1/worker, over which a worker outside of the platform takes tasks `handler/NAME`. JSON texts both ways.
 *
 * The worker says `hello` with what it can do and with the attempts that it still holds from an earlier connection. The server
 * answers `welcome`: which of those it goes on with, and which belong to somebody else by now. Then `execute` comes down and
 * `log`, `progress`, `alive`, `result` go up; `settled` says that nothing more is wanted of an attempt. Files of an attempt go by requests to
 * /v1/worker/artifacts, with its lease in a header.
 */

const name = z.string().min(1).max(200);
/** Id of an attempt: runId.epoch.taskKey.attempt. */
const attemptId = z.string().min(1).max(250);
/** Says whose job an attempt is part of. Only the server reads it. */
const lease = z.string().min(1).max(2_000);

/** Bytes that a frame of a worker may have, unless the welcome says otherwise; a socket that gets a larger one is closed with 1009. */
export const WORKER_FRAME_BYTES = 16 * 1_048_576;

/** Header of the requests to /v1/worker/artifacts: the lease of the attempt, as its `execute` had it. */
export const LEASE_HEADER = 'lattice-lease';
/** Files that an attempt may say it saved. */
const MAX_SAVED = 100_000;

export const HANDLER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const WORKER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const helloSchema = z.strictObject({
  op: z.literal('hello'),
  workerId: z.string().regex(WORKER_ID, 'not a worker id: letters, digits, . _ -, up to 100'),
  host: name,
  pid: z.int().min(0),
  node: name.describe('Version of Node.'),
  handlers: z.array(z.string().regex(HANDLER_NAME, 'not the name of a handler')).min(1).max(1_000),
  labels: z.record(name, z.union([z.string().max(200), z.number(), z.boolean()])),
  resources: z.strictObject({
    cpu: z.number().min(0).max(4_096),
    memory: z.number().min(0),
    gpu: z.number().min(0).max(64),
  }),
  slots: z.int().min(1).max(10_000).describe('Attempts at once.'),
  attempts: z
    .array(z.strictObject({ id: attemptId, lease, elapsed: z.number().min(0).describe('Milliseconds.') }))
    .max(10_000)
    .describe('Those of an earlier connection that are not settled.'),
});
export type WorkerHello = z.infer<typeof helloSchema>;

export const workerOutcomeSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('completed'),
    output: z.string().describe('JSON text.'),
    artifacts: z
      .array(z.uuid())
      .max(MAX_SAVED)
      .optional()
      .describe('Those that the attempt saved by PUT /v1/worker/artifacts.'),
  }),
  z.strictObject({ status: z.literal('failed'), error: taskErrorSchema }),
]);
export type WorkerOutcome = z.infer<typeof workerOutcomeSchema>;

/** What a worker sends. */
export const workerFrameSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('auth'), key: z.string().max(500) }),
  helloSchema,
  z.strictObject({
    op: z.literal('log'),
    id: attemptId,
    n: z.int().min(1).describe('Counts the log frames of the attempt.'),
    stream: z.enum(['stdout', 'stderr']),
    text: z.string(),
    at: z.number(),
  }),
  z.strictObject({
    op: z.literal('progress'),
    id: attemptId,
    percent: z.number().min(0).max(100),
    text: z.string().optional(),
  }),
  z.strictObject({ op: z.literal('alive'), id: attemptId }),
  z.strictObject({ op: z.literal('result'), id: attemptId, outcome: workerOutcomeSchema }),
  z.strictObject({ op: z.literal('drain') }).describe('Take no more for this worker; what runs goes on.'),
  z.strictObject({ op: z.literal('ping') }),
]);
export type WorkerFrame = z.infer<typeof workerFrameSchema>;

/** What the server sends. */
export const platformFrameSchema = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('welcome'),
    leaseMs: z.number().describe('An attempt whose worker is away for so long is given to another.'),
    kept: z.array(z.string()).describe('Attempts of the hello that go on.'),
    lost: z.array(z.string()).describe('Attempts of the hello that belong to somebody else, or are over.'),
    maxFrame: z.int().min(1).default(WORKER_FRAME_BYTES).describe('Bytes that a frame may have.'),
  }),
  z.object({
    op: z.literal('execute'),
    id: z.string(),
    lease: z.string(),
    runId: z.string(),
    taskKey: z.string(),
    attempt: z.number().int(),
    handler: z.string(),
    input: z.unknown(),
  }),
  z.object({ op: z.literal('cancel'), id: z.string(), reason: z.string() }),
  z.object({ op: z.literal('settled'), id: z.string() }).describe('The attempt is over; forget it.'),
  z.object({ op: z.literal('logged'), id: z.string(), n: z.number().int() }).describe('Log frames up to n are taken.'),
  z.object({ op: z.literal('error'), code: z.string(), detail: z.string() }),
  z.object({ op: z.literal('pong') }),
]);
export type PlatformFrame = z.infer<typeof platformFrameSchema>;

/** Codes with which the server closes a worker's socket. After the first three it does no good to come back. */
export const WORKER_CLOSE = {
  unauthorized: 4401,
  refused: 4400,
  replaced: 4409,
  tooMany: 4429,
  silent: 4408,
  goingAway: 1001,
} as const;
