import {
  LatticeError,
  codeWithSchema,
  containerWithSchema,
  faultsOf,
  givenFilesSchema,
  httpWithSchema,
  scriptWithSchema,
  parseDuration,
  parseSize,
  variableNameSchema,
  variableTextSchema,
  type GivenFiles,
} from '@lattice/contracts';
import { evaluateTemplate, type Scope } from '@lattice/expression';
import type {
  CodeProgram,
  ContainerProgram,
  Execution,
  HandlerProgram,
  HttpProgram,
  ScriptProgram,
} from '@lattice/executor';
import type { TaskDefinition } from '@lattice/flow';
import { z } from 'zod';
import type { Settings } from '@lattice/config';

/** A task that asks for no timeout gets an hour: a task that hangs must not hold a worker for ever. Handlers are trusted. */
const DEFAULT_TIMEOUT_MS = 3_600_000;
const PROCESSES = 512;

const environmentSchema = z.record(
  variableNameSchema,
  z.union([variableTextSchema, z.number(), z.boolean(), z.null()]).transform((value) => String(value ?? '')),
);

const codeSchema = codeWithSchema.omit({ source: true }).extend({ input: z.unknown().optional() });
const containerSchema = containerWithSchema.extend({ input: z.unknown().optional() });
const scriptSchema = scriptWithSchema.extend({ input: z.unknown().optional() });

const httpSchema = httpWithSchema.extend({
  url: z.url({ protocol: /^https?$/, error: 'not a URL that begins with http:// or https://' }),
  body: z.unknown().optional(),
});
const HTTP_BYTES = 1_048_576;
const HTTP_TIMEOUT_MS = 30_000;

/** What to run, and its input. */
export type Program = (CodeProgram | ContainerProgram | ScriptProgram | HandlerProgram | HttpProgram) & {
  readonly input: unknown;
};

/** What is to run: expressions evaluated, limits filled in. Throws LatticeError when an expression fails. */
export function prepare(
  task: TaskDefinition,
  scope: Scope,
  settings: Settings,
): { program: Program; env: Record<string, string>; limits: Execution['limits']; files?: GivenFiles } {
  const memory = task.resources?.memory === undefined ? undefined : parseSize(task.resources.memory);
  const body = evaluateTemplate(task.with, scope);
  const timeout = timeoutOf(task, body);
  const files = filesOf(task, body);
  return {
    ...(files === undefined ? {} : { files }),
    program: programOf(task, body, settings),
    env: {
      ...readValue(environmentSchema, evaluateTemplate(task.env, scope), 'env'),
      ...(task.uses === 'script' ? envOfScript(body) : {}),
    },
    limits: {
      graceMs: settings.worker.grace,
      outputBytes: settings.maxOutput,
      logBytes: settings.maxLog,
      processes: PROCESSES,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(task.resources?.cpu === undefined ? {} : { cpu: task.resources.cpu }),
    },
  };
}

function programOf(task: TaskDefinition, body: unknown, settings: Settings): Program {
  switch (task.uses) {
    case 'code': {
      const { language, network, input } = readValue(codeSchema, body, 'with');
      const code = { language, source: task.source ?? '', ...(network === undefined ? {} : { network }) };
      return { uses: 'code', code, input: input ?? null };
    }
    case 'container': {
      const { image, command, entrypoint, env, workdir, network, mounts, input } = readValue(
        containerSchema,
        body,
        'with',
      );
      const container = {
        image,
        network,
        env: readValue(environmentSchema, env ?? {}, 'with.env'),
        ...(command === undefined ? {} : { command: typeof command === 'string' ? ['sh', '-c', command] : command }),
        ...(entrypoint === undefined ? {} : { entrypoint }),
        ...(workdir === undefined ? {} : { workdir }),
        ...(mounts === undefined ? {} : { mounts }),
      };
      return { uses: 'container', container, input: input ?? null };
    }
    case 'script':
      return scriptOf(body, settings.worker.scripts);
    case 'http':
      return { uses: 'http', http: requestOf(readValue(httpSchema, body, 'with')), input: null };
    case 'handler':
      return { uses: `handler/${task.handler ?? ''}`, input: handlerInput(body) };
    case 'control':
      throw new LatticeError('internal', `task "${task.key}" is of the schedulers, and came to a worker`);
  }
}

/** `folder` is that of this worker; without one it takes no scripts. */
function scriptOf(body: unknown, folder: string | undefined): Program {
  if (folder === undefined) throw new LatticeError('script_not_found', 'this worker has no folder of scripts');
  const { path, args, allowExit, image, network, input } = readValue(scriptSchema, body, 'with');
  const script = {
    ...{ folder, path, args: (args ?? []).map(String), allowExit: allowExit ?? [0] },
    ...(image === undefined ? {} : { image }),
    ...(network === undefined ? {} : { network }),
  };
  return { uses: 'script', script, input: input ?? null };
}

function envOfScript(body: unknown): Record<string, string> {
  return readValue(environmentSchema, readValue(scriptSchema, body, 'with').env ?? {}, 'with.env');
}

/** Artifacts that the task finds as files. */
function filesOf(task: TaskDefinition, body: unknown): GivenFiles | undefined {
  if (task.uses !== 'code' && task.uses !== 'container' && task.uses !== 'script') return undefined;
  if (typeof body !== 'object' || body === null || !('files' in body)) return undefined;
  return readValue(givenFilesSchema, body.files, 'with.files');
}

/** Milliseconds. A request has a time of its own; the shorter one of the two holds. */
function timeoutOf(task: TaskDefinition, body: unknown): number | undefined {
  switch (task.uses) {
    case 'http': {
      const own = parseDuration(readValue(httpSchema, body, 'with').timeout ?? '') ?? HTTP_TIMEOUT_MS;
      return Math.min(own, task.timeoutMs ?? own);
    }
    case 'handler':
      return task.timeoutMs;
    default:
      return task.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }
}

function requestOf({ url, method, headers, body, expect, maxBytes }: z.infer<typeof httpSchema>): HttpProgram['http'] {
  const given = readValue(environmentSchema, headers ?? {}, 'with.headers');
  const typed = Object.keys(given).some((name) => name.toLowerCase() === 'content-type');
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    url,
    method,
    headers: body === undefined || typed ? given : { ...given, 'content-type': type },
    maxBytes: parseSize(maxBytes ?? HTTP_BYTES) ?? HTTP_BYTES,
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    ...(expect === undefined ? {} : { expect }),
  };
}

/** A value that expressions gave, checked; throws LatticeError `expression_failed` that says what is wrong where. */
function readValue<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [first] = faultsOf(read.error);
  const path = `${place}${first?.pointer ?? ''}`.replaceAll('/', '.');
  throw new LatticeError('expression_failed', `${path} came out wrong: ${first?.message ?? 'not of the right shape'}`);
}

/** A handler's `with` is its input; `{ input: X }` alone means X, so that all kinds of tasks may be written alike. */
function handlerInput(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const keys = Object.keys(body);
  return keys.length === 1 && 'input' in body ? body.input : body;
}
