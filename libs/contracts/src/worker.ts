import { z } from 'zod';
import { durationSchema } from './duration';

/**
 * How a worker stands. registering: it has connected and does not take tasks yet. online: it takes tasks. deaf: it says that it lives,
 * but could not show lately that it takes tasks. cordoned: it takes no new ones. draining: the same, and it ends when the last
 * is done; drained: it was. stale: three heartbeats are missing. offline: it has been silent for a minute, or was stopped.
 */
export const WORKER_STATUSES = [
  'registering',
  'online',
  'deaf',
  'cordoned',
  'draining',
  'drained',
  'stale',
  'offline',
] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

export const labelValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/** A lease on a GPU, or on a share of one. */
export const gpuHolderSchema = z.object({
  lease: z.string().describe('Fencing token: the GPU and a number that rises with every lease on it.'),
  workerId: z.string(),
  share: z.number().describe('Of the GPU: above 0, up to 1.'),
  memory: z.number().int().describe('Bytes of its memory that were asked for.'),
  runId: z.string().optional(),
  taskKey: z.string().optional(),
});
export type GpuHolder = z.infer<typeof gpuHolderSchema>;

/** A GPU of a worker, or an instance of one that is partitioned (MIG). */
export const gpuSchema = z.object({
  uuid: z.string(),
  index: z.number().int(),
  name: z.string().describe('As the driver names it.'),
  model: z.string().describe('Short: a100, t4, rtx-4090.'),
  memory: z.number().int().describe('Bytes.'),
  mig: z.boolean().describe('An instance of a partitioned GPU.'),
  healthy: z.boolean(),
  fault: z.string().nullable().describe('Why it gets no tasks.'),
});
export type Gpu = z.infer<typeof gpuSchema>;
export const gpuViewSchema = gpuSchema.extend({ holders: z.array(gpuHolderSchema) });
export type GpuView = z.infer<typeof gpuViewSchema>;

/** Tasks that a worker has taken and collects for one call of their handler. */
export const pendingBatchSchema = z.object({
  handler: z.string(),
  key: z.string(),
  pending: z.number().int(),
  size: z.number().int(),
});
export type PendingBatch = z.infer<typeof pendingBatchSchema>;

/** Body of POST /v1/batches/flush: which batches; all when neither is given. */
export const flushSchema = z.strictObject({
  handler: z.string().max(200).optional(),
  key: z.string().max(10_000).optional(),
});

const amounts = z.object({ cpu: z.number(), memory: z.number(), gpu: z.number() });

/** A worker as GET /v1/workers shows it. */
export const workerViewSchema = z.object({
  workerId: z.string(),
  status: z.enum(WORKER_STATUSES),
  reason: z
    .enum(['stopped', 'silent'])
    .nullable()
    .describe(
      'Why it is offline: it was stopped in order (shown for an hour), or is not heard of any more (for a day).',
    ),
  host: z.string(),
  pid: z.number().int(),
  labels: z.record(z.string(), labelValueSchema),
  handlers: z.array(z.string()),
  scripts: z.boolean().describe('Whether it does tasks that use script: it has a folder of scripts (LATTICE_SCRIPTS).'),
  outside: z.boolean().describe('Whether it is a worker of the SDK, which joined through the API: it does no batches.'),
  resources: amounts.extend({ gpuMemory: z.number().describe('Bytes of the GPU that has most.') }),
  free: amounts.extend({ slots: z.number().int() }),
  gpus: z.array(gpuViewSchema),
  batches: z.array(pendingBatchSchema),
  versions: z.object({ lattice: z.string(), node: z.string(), driver: z.string().nullable() }),
  load: z.object({
    cpu: z.number().describe('Processes that want a core, mean of a minute.'),
    memoryFree: z.number().describe('Bytes of the machine.'),
  }),
  running: z.number().int(),
  startedAt: z.string(),
  seenAt: z.string(),
  provedAt: z.string().describe('When it last showed that it takes tasks: a look into its queues, or a renewed lock.'),
});
export type WorkerView = z.infer<typeof workerViewSchema>;

/** What a worker can be told to do. */
export const WORKER_ORDERS = ['drain', 'cordon', 'uncordon'] as const;
export type WorkerOrder = (typeof WORKER_ORDERS)[number];

/** Body of POST /v1/workers/:id/drain. */
export const drainSchema = z.strictObject({
  exit: z.boolean().default(false).describe('The process ends when nothing runs on it any more.'),
  timeout: durationSchema
    .optional()
    .describe('What runs after so long is stopped and given to other workers; without it, it runs to its end.'),
});
export type Drain = z.infer<typeof drainSchema>;

export const workerOrderedSchema = z.object({ workerId: z.string(), order: z.enum(WORKER_ORDERS) });
