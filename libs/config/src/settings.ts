import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isWeakerLevel, parseDuration, SANDBOX_LEVELS, type SandboxLevel } from '@lattice/contracts';
import { z } from 'zod';
import { artifactFaults, artifactSettings, artifactVariables } from './artifact-settings';
import { size } from './size';

const port = z.coerce.number().int().min(0).max(65_535);
const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'not a duration (500ms, 30s, 5m)')
  .transform((text) => parseDuration(text) ?? 0);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
/** Told without the value, too. A file is read when an image is pulled. */
const registryAuth = z
  .string()
  .refine((text) => !text.trimStart().startsWith('{') || isJson(text), 'neither JSON nor the path of a file')
  .transform((text) => (text.trimStart().startsWith('{') ? text : resolve(text)));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Told without the value: it is to be seen by nobody. */
const secretsKeys = list.refine(
  (keys) => keys.length > 0 && keys.every((key) => /^[\x21-\x7e]{32,500}$/.test(key)),
  'not a key of 32 to 500 printable characters, or several with commas between them (`lattice secrets new-key` makes one)',
);
/** `gpu.model=a100,zone=a`: values that look like numbers or booleans are such. */
const labels = z
  .string()
  .refine(
    (text) => text.split(',').every((part) => part.trim() === '' || /^[^=\s]+=.+$/.test(part.trim())),
    'not labels (zone=a,gpu.model=a100)',
  )
  .transform((text) =>
    Object.fromEntries(
      text
        .split(',')
        .filter((part) => part.trim() !== '')
        .map(readLabel),
    ),
  );

/** `/srv/data`, or `/srv/data:rw` where containers may write to it. */
function mountOf(text: string): { folder: string; writable: boolean } {
  const [, folder = '', mode] = /^(.*?)(?::(ro|rw))?$/.exec(text) ?? [];
  return { folder: resolve(folder), writable: mode === 'rw' };
}

function readLabel(text: string): [string, string | number | boolean] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1).trim();
  const typed =
    value === 'true'
      ? true
      : value === 'false'
        ? false
        : value !== '' && Number.isFinite(Number(value))
          ? Number(value)
          : value;
  return [text.slice(0, at).trim(), typed];
}

const url = (...schemes: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol),
      `not a URL of ${schemes.join(' or ')}`,
    );

const DEFAULT_LEVEL: SandboxLevel = 'subprocess';

/** Milliseconds; timers reach 24 days. */
const LONGEST_DRAIN = 604_800_000;

/** What an output in Postgres may have at most, in bytes. */
const INLINE_LIMIT = 8_388_608;

const environmentSchema = z
  .object({
    REDIS_URL: url('redis:', 'rediss:'),
    DATABASE_URL: url('postgres:', 'postgresql:'),
    LATTICE_PREFIX: z
      .string()
      .regex(/^\{[A-Za-z0-9:_-]+\}$/, 'not a prefix: a hash tag such as {lattice:0}')
      .default('{lattice:0}'),
    LATTICE_HOME: z.string().default('.lattice'),
    LATTICE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    LATTICE_ADMIN_KEY_FILE: z.string().optional(),
    LATTICE_SECRETS_KEY: secretsKeys.optional(),
    LATTICE_SECRETS_KEY_FILE: z.string().optional(),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(3000),
    LATTICE_WORKER_ID: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'not a worker id')
      .optional(),
    LATTICE_WORKER_PORT: port.optional(),
    LATTICE_LABELS: labels.default({}),
    LATTICE_HANDLERS: list.default([]),
    LATTICE_SCRIPTS: z.string().optional(),
    LATTICE_MOUNTS: list.default([]),
    LATTICE_CPUS: z.coerce.number().positive().optional(),
    LATTICE_MEMORY: size.optional(),
    LATTICE_GPUS: list.default([]),
    LATTICE_GPU_LOCKS: z.string().optional(),
    LATTICE_GPU_CHECK: duration.default(30_000),
    LATTICE_CONCURRENCY: z.coerce.number().int().min(1).max(10_000).default(100),
    LATTICE_SANDBOX: z.enum(SANDBOX_LEVELS).optional(),
    LATTICE_SANDBOX_MIN: z.enum(SANDBOX_LEVELS).default('none'),
    LATTICE_REGISTRY_AUTH: registryAuth.optional(),
    LATTICE_CONTROL_GROUPS: z.enum(['auto', 'off', 'required']).default('auto'),
    LATTICE_PULL_TIMEOUT: duration.default(600_000),
    LATTICE_WARM: size.optional(),
    LATTICE_GRACE: duration.default(1_000),
    LATTICE_DRAIN: duration.refine((ms) => ms <= LONGEST_DRAIN, 'more than 7d').default(8_000),
    LATTICE_LOCK: duration.default(15_000),
    LATTICE_MAX_OUTPUT: size.default(33_554_432),
    LATTICE_INLINE_OUTPUT: size
      .default(1_048_576)
      .refine((bytes) => bytes <= INLINE_LIMIT, 'more than 8Mi: larger outputs become artifacts'),
    ...artifactVariables,
    LATTICE_RETENTION: duration.optional(),
    LATTICE_RETENTION_COMPLETED: duration.optional(),
    LATTICE_RETENTION_FAILED: duration.optional(),
    LATTICE_RETENTION_CANCELLED: duration.optional(),
    LATTICE_MAX_LOG: size.default(1_048_576),
  })
  .refine((env) => env.LATTICE_SANDBOX === undefined || !isWeakerLevel(env.LATTICE_SANDBOX, env.LATTICE_SANDBOX_MIN), {
    path: ['LATTICE_SANDBOX'],
    error: 'weaker than LATTICE_SANDBOX_MIN',
  })
  .superRefine(artifactFaults);

/** What a process of Lattice is told by its environment. Durations are milliseconds, sizes bytes. */
export type Settings = Readonly<ReturnType<typeof toSettings>>;

/** The environment does not hold what the process needs; the message lists every fault. */
export class SettingsError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

/** Settings from an environment; throws {@link SettingsError} with all faults together. Empty variables count as unset. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(set);
  if (parsed.success) return toSettings(parsed.data);
  throw new SettingsError(
    parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return set[name] === undefined
        ? `${name} is missing`
        : `${name} is ${issue.message.replace(/^Invalid input: /, '')}`;
    }),
  );
}

function toSettings(env: z.infer<typeof environmentSchema>) {
  const home = resolve(env.LATTICE_HOME);
  return {
    redisUrl: env.REDIS_URL,
    databaseUrl: env.DATABASE_URL,
    /** Hash tag of every Redis key and of every BullMQ queue. */
    prefix: env.LATTICE_PREFIX,
    home,
    logLevel: env.LATTICE_LOG_LEVEL,
    adminKeyFile: env.LATTICE_ADMIN_KEY_FILE ?? join(home, 'admin.key'),
    /** Keys of secrets: the first one encrypts, all of them decrypt. Undefined: they are in the file. */
    secretsKeys: env.LATTICE_SECRETS_KEY,
    secretsKeyFile: env.LATTICE_SECRETS_KEY_FILE ?? join(home, 'secrets.key'),
    host: env.HOST,
    port: env.PORT,
    worker: {
      /** Unique per process: two workers of one id would take each other's attempts for their own. */
      id:
        env.LATTICE_WORKER_ID ??
        `${hostname()
          .replaceAll(/[^A-Za-z0-9._-]/g, '-')
          .slice(0, 60)}-${process.pid}-${Date.now().toString(36)}`,
      /** Where a worker answers whether it is alive and ready; nowhere when unset. */
      port: env.LATTICE_WORKER_PORT,
      labels: env.LATTICE_LABELS,
      handlers: env.LATTICE_HANDLERS,
      /** Folders of which containers may be given something. */
      mounts: env.LATTICE_MOUNTS.map(mountOf),
      /** Folder whose executable files the worker runs for `script` tasks; undefined: it takes none. */
      scripts: env.LATTICE_SCRIPTS === undefined ? undefined : resolve(env.LATTICE_SCRIPTS),
      cpus: env.LATTICE_CPUS,
      memory: env.LATTICE_MEMORY,
      /** UUIDs or indexes of the GPUs to use, or `all`, or `none`; empty means all. */
      gpus: env.LATTICE_GPUS,
      /** Leases on GPUs: one folder for all workers of the host. */
      gpuLocks: resolve(env.LATTICE_GPU_LOCKS ?? join(tmpdir(), 'lattice-gpus')),
      /** Milliseconds between two looks at the GPUs. */
      gpuCheck: env.LATTICE_GPU_CHECK,
      concurrency: env.LATTICE_CONCURRENCY,
      /** Level of code that asks for none. */
      sandbox: levelOf(env),
      /** Memory for interpreters that are started ahead of code tasks, of all levels; undefined: a share of what the worker has. */
      warm: env.LATTICE_WARM,
      /** Whether the kernel holds code in processes to its limits: where the worker may make control groups, nowhere, or else it does not start. */
      controlGroups: env.LATTICE_CONTROL_GROUPS,
      /** Logins of registries: a configuration of Docker as JSON, or the path of such a file. */
      registryAuth: env.LATTICE_REGISTRY_AUTH,
      /** Milliseconds that the pull of an image may take. */
      pullTimeout: env.LATTICE_PULL_TIMEOUT,
      grace: env.LATTICE_GRACE,
      /** Milliseconds for which a worker that is stopped lets its attempts go on; then it gives them back. */
      drain: env.LATTICE_DRAIN,
    },
    /** BullMQ lock of a job: a worker silent for so long has lost it. */
    lock: env.LATTICE_LOCK,
    /** No code runs at a weaker level. */
    sandboxMin: env.LATTICE_SANDBOX_MIN,
    /** How long runs are kept after their end, by how they ended; undefined keeps them for good. */
    retention: {
      completed: env.LATTICE_RETENTION_COMPLETED ?? env.LATTICE_RETENTION,
      failed: env.LATTICE_RETENTION_FAILED ?? env.LATTICE_RETENTION,
      cancelled: env.LATTICE_RETENTION_CANCELLED ?? env.LATTICE_RETENTION,
    },
    /** Of an output, in bytes of its JSON; above it the task fails. */
    maxOutput: env.LATTICE_MAX_OUTPUT,
    /** Outputs above this many bytes are kept as artifacts. */
    inlineOutput: Math.min(env.LATTICE_INLINE_OUTPUT, env.LATTICE_MAX_OUTPUT),
    artifacts: artifactSettings(env, home),
    maxLog: env.LATTICE_MAX_LOG,
  };
}

function levelOf(env: z.infer<typeof environmentSchema>): SandboxLevel {
  if (env.LATTICE_SANDBOX !== undefined) return env.LATTICE_SANDBOX;
  return isWeakerLevel(DEFAULT_LEVEL, env.LATTICE_SANDBOX_MIN) ? env.LATTICE_SANDBOX_MIN : DEFAULT_LEVEL;
}

/** The URL without user and password, for logs and messages. */
export function redacted(text: string): string {
  const parsed = new URL(text);
  parsed.username = '';
  parsed.password = '';
  return parsed.toString();
}
