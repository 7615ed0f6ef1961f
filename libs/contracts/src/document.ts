import { z } from 'zod';
import { durationSchema } from './duration';
import { environmentSchema } from './environment';
import { labelRuleSchema } from './label-rule';
import { batchRulesSchema, batchSchema, placeSchema, preferSchema, preferWaitSchema } from './placement';
import { taskKeySchema, workflowNameSchema } from './ids';
import { sizeSchema } from './size';

/** A run may hold this many tasks. */
export const MAX_TASKS = 10_000;

export const INPUT_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'any'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

export const SANDBOX_LEVELS = ['none', 'subprocess', 'seccomp', 'docker'] as const;
export type SandboxLevel = (typeof SANDBOX_LEVELS)[number];

/** Whether the first level isolates less than the second: they are listed from the weakest to the strongest. */
export function isWeakerLevel(level: SandboxLevel, than: SandboxLevel): boolean {
  return SANDBOX_LEVELS.indexOf(level) < SANDBOX_LEVELS.indexOf(than);
}

export const TRIGGER_RULES = ['all-success', 'all-done', 'one-success', 'none-failed'] as const;
export type TriggerRule = (typeof TRIGGER_RULES)[number];

export const LANGUAGES = ['javascript', 'typescript', 'python'] as const;
export type Language = (typeof LANGUAGES)[number];

export const PRIORITY_LIMIT = 1_000;
export const prioritySchema = z
  .int()
  .min(-PRIORITY_LIMIT)
  .max(PRIORITY_LIMIT)
  .describe('Higher first, over all runs: -1000 to 1000, default 0.');

export const inputSchema = z.strictObject({
  type: z.enum(INPUT_TYPES).default('any'),
  required: z.boolean().default(false).describe('A missing input without a default is then a fault; else it is null.'),
  default: z.json().optional(),
  description: z.string().optional(),
});

export const retrySchema = z
  .strictObject({
    maxAttempts: z.int().min(1).max(100).default(3),
    initialDelay: durationSchema.default('1s'),
    factor: z.number().min(1).max(100).default(2),
    maxDelay: durationSchema.default('60s'),
    jitter: z
      .union([z.boolean(), z.number().min(0).max(1)])
      .default(false)
      .describe('The share of a delay that is random: 0 to 1; true is 0.5.'),
    retryOn: z
      .array(z.union([z.string(), z.int()]))
      .optional()
      .describe('Error codes, exit codes, or the `code` or class name of what was thrown; others are not tried again.'),
    ignore: z
      .array(z.union([z.string(), z.int()]))
      .optional()
      .describe('Those that are never tried again.'),
  })
  .describe('No policy means one attempt.');
export type RetryPolicy = z.infer<typeof retrySchema>;

export const resourcesSchema = z.strictObject({
  cpu: z.number().min(0).max(1_024).optional(),
  memory: sizeSchema.optional(),
  gpu: z.number().min(0).max(64).optional().describe('Number of GPUs; below 1 a share of one.'),
  gpuMemory: sizeSchema.optional(),
});
export type Resources = z.infer<typeof resourcesSchema>;

const filesSchema = z
  .union([z.string(), z.record(z.string(), z.json())])
  .optional()
  .describe(
    'Artifacts that the task finds as files below $LATTICE_FILES: path -> reference, such as ${{ tasks.make.artifacts["data.csv"] }}; or all of a task, as ${{ tasks.make.artifacts }}.',
  );

export const codeWithSchema = z.strictObject({
  language: z.enum(LANGUAGES),
  source: z.string().min(1),
  network: z
    .boolean()
    .optional()
    .describe('At levels seccomp and docker a task has no network unless this is true; below, it always has.'),
  files: filesSchema,
  input: z.json().optional(),
});
/** A path of a container; it may be an expression. What is below these is the container's own. */
const TARGET = /^(?:\/(?!$|(?:lattice|proc|sys|dev)(?:\/|$))|[^]*\$\{\{)/;
const mountSchema = z.strictObject({
  source: z
    .string()
    .regex(/^(?:\/|[^]*\$\{\{)/, 'a path that begins with /')
    .describe('A folder or file of the worker, below one of LATTICE_MOUNTS.'),
  target: z.string().regex(TARGET, 'a path that begins with /, and is not /, /lattice, /proc, /sys, /dev or below'),
  readOnly: z.boolean().default(true),
});
export const containerWithSchema = z.strictObject({
  image: z.string().min(1),
  command: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('A text runs in the shell of the image.'),
  entrypoint: z.array(z.string()).optional(),
  env: environmentSchema.optional(),
  workdir: z.string().optional(),
  network: z.enum(['none', 'bridge']).default('none'),
  mounts: z.array(mountSchema).max(32).optional(),
  files: filesSchema,
  input: z.json().optional(),
});
/** Of a script: what it ended with counts as success. */
const allowExitSchema = z.array(z.int().min(0).max(255)).min(1);
const argumentSchema = z.union([z.string().regex(/^[^\0]*$/, 'without the character NUL'), z.number(), z.boolean()]);
export const scriptWithSchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(1_024)
    .describe('Of the executable file, below the folder that the worker runs scripts of (LATTICE_SCRIPTS).'),
  args: z.array(argumentSchema).max(1_000).optional(),
  env: environmentSchema.optional(),
  allowExit: allowExitSchema.optional().describe('Exit codes of success, default 0.'),
  image: z.string().min(1).optional().describe('The script runs in a container of this image: level docker.'),
  network: z
    .boolean()
    .optional()
    .describe('At levels seccomp and docker a task has no network unless this is true; below, it always has.'),
  files: filesSchema,
  input: z.json().optional(),
});
export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const httpWithSchema = z.strictObject({
  url: z.string().min(1),
  method: z.enum(HTTP_METHODS).default('GET'),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  body: z.json().optional().describe('A text is sent as it is, all else as JSON.'),
  timeout: durationSchema.optional().describe('Of the request with its answer, default 30s.'),
  expect: z.array(z.int().min(100).max(599)).min(1).optional().describe('Statuses of success, default 200 to 299.'),
  maxBytes: sizeSchema.optional().describe('Of the body of the answer, default 1Mi.'),
});

/**
 * `uses` of a task. Done by workers: `code`, `container`, `script` (an executable file of a folder), `http`, `handler/NAME` (a function of a
 * user's own worker). Done by schedulers: `transform`, `switch`, `map`, `loop`, `wait`, and `workflow/NAME` or `workflow/NAME@VERSION` (a saved workflow).
 */
export const USES_PATTERN =
  /^(code|container|script|http|transform|switch|map|loop|wait|handler\/[A-Za-z0-9][A-Za-z0-9._-]{0,99}|workflow\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}(@[1-9]\d{0,8})?)$/;

const queueTimeoutSchema = durationSchema.describe(
  'From the moment a task is queued to the start of its first attempt; then it fails with queue_timeout.',
);
const heartbeatSchema = durationSchema.describe(
  'An attempt must log a line, tell its progress or call ctx.heartbeat() within this time, again and again; else it is stopped and fails with heartbeat_timeout.',
);

export const DEFAULT_CACHE_TTL = '1h';
export const cacheSchema = z
  .strictObject({
    key: z.string().optional().describe('An expression; without it what is run, its input and its environment.'),
    ttl: durationSchema.optional().describe('How long a result may be used, default 1h.'),
  })
  .describe('A result is kept, and taken over by tasks of this workflow and key that ask the same.');

export const taskSchema = z.strictObject({
  uses: z.string(),
  with: z.json().optional(),
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  if: z.union([z.string(), z.boolean()]).optional(),
  trigger: z.enum(TRIGGER_RULES).optional(),
  retry: retrySchema.optional(),
  timeout: durationSchema.optional().describe('From start to end of an attempt.'),
  queueTimeout: queueTimeoutSchema.optional(),
  heartbeat: heartbeatSchema.optional(),
  cache: cacheSchema.optional(),
  resources: resourcesSchema.optional(),
  runsOn: z.record(z.string(), labelRuleSchema).optional(),
  prefer: preferSchema.optional(),
  preferWait: preferWaitSchema.optional(),
  place: placeSchema.optional(),
  batch: batchSchema.optional(),
  sandbox: z.enum(SANDBOX_LEVELS).optional(),
  env: environmentSchema.optional().describe('May hold secrets: ${{ secrets.NAME }}.'),
  priority: prioritySchema.optional().describe('Added to that of the run, over all runs: -1000 to 1000, higher first.'),
  tags: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  description: z.string().optional(),
});
export type TaskDocument = z.infer<typeof taskSchema>;

export const CONCURRENCY_POLICIES = ['queue', 'cancel-running', 'reject'] as const;
export type ConcurrencyPolicy = (typeof CONCURRENCY_POLICIES)[number];

const limitKeySchema = z
  .string()
  .optional()
  .describe(
    'An expression of the inputs: runs of equal values share the limit. Without it all runs of the workflow do.',
  );

export const concurrencySchema = z
  .strictObject({
    key: limitKeySchema,
    limit: z.int().min(1).max(100_000).optional().describe('Runs at once, default 1.'),
    policy: z
      .enum(CONCURRENCY_POLICIES)
      .optional()
      .describe(
        'When the limit is reached: queue (default) waits, cancel-running cancels the oldest run, reject refuses the submission (a task that starts the run fails).',
      ),
  })
  .describe('How many runs of this workflow may be active at once.');

export const rateLimitSchema = z
  .strictObject({
    key: limitKeySchema,
    limit: z.int().min(1).max(100_000).describe('Starts of runs in any span of `per`.'),
    per: durationSchema,
  })
  .describe('How many runs of this workflow may start in a span of time; more wait.');

export const fairShareSchema = z
  .strictObject({
    key: z.string().describe('An expression of the inputs that names the group, for instance the tenant.'),
    weight: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Turns of the group for each turn of a group of weight 1, default 1.'),
  })
  .describe('Groups of runs that wait for workers take turns, however many runs each has.');

export const ON_FAILURE = ['cancel', 'continue'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** A workflow as people write it. Parsing fills no default but those of `retry` and `inputs`. */
export const documentSchema = z.strictObject({
  name: workflowNameSchema,
  description: z.string().optional(),
  inputs: z.record(taskKeySchema, inputSchema).optional(),
  defaults: z
    .strictObject({
      retry: retrySchema.optional(),
      timeout: durationSchema.optional(),
      queueTimeout: queueTimeoutSchema.optional(),
      heartbeat: heartbeatSchema.optional(),
      resources: resourcesSchema.optional(),
      runsOn: z.record(z.string(), labelRuleSchema).optional(),
      prefer: preferSchema.optional(),
      preferWait: preferWaitSchema.optional(),
      place: placeSchema.optional(),
      batch: batchRulesSchema.optional(),
      sandbox: z.enum(SANDBOX_LEVELS).optional(),
      env: environmentSchema.optional(),
    })
    .optional()
    .describe('Taken by every task that does not say otherwise.'),
  tasks: z.record(taskKeySchema, taskSchema),
  outputs: z.record(z.string(), z.json()).optional(),
  timeout: durationSchema.optional().describe('Of the whole run.'),
  onFailure: z.enum(ON_FAILURE).optional(),
  concurrency: concurrencySchema.optional(),
  rateLimit: rateLimitSchema.optional(),
  fairShare: fairShareSchema.optional(),
  fuse: z.boolean().optional().describe('false: every task of a chain is a job of its own.'),
  tags: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  within: z
    .strictObject({ tasks: z.array(taskKeySchema) })
    .optional()
    .describe(
      'Only in bodies of map and loop, which are stored as documents: the tasks around them that they refer to.',
    ),
});
export type WorkflowDocument = z.infer<typeof documentSchema>;

/** JSON Schema (2020-12) of a workflow document, as the API publishes it. */
export function documentJsonSchema(): Record<string, unknown> {
  const written = documentSchema.omit({ within: true });
  return { title: 'Lattice workflow', ...z.toJSONSchema(written, { io: 'input', reused: 'ref' }) };
}
