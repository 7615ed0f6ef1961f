import {
  codeWithSchema,
  containerWithSchema,
  fault,
  faultsOf,
  httpWithSchema,
  pointerOf,
  scriptWithSchema,
  type Fault,
  type SandboxLevel,
  type TaskDocument,
  type WorkflowDocument,
} from '@lattice/contracts';
import type { Kind } from './kinds';
import { scriptFaults, scriptLevel } from './script';

type WorkerUses = Extract<Kind, { by: 'worker' }>['uses'];

/** A task of a worker, as it is written. */
interface Written {
  readonly key: string;
  readonly task: TaskDocument;
  readonly document: WorkflowDocument;
}

/** The field of a body that may hold secrets. */
export const SECRET_FIELDS: Readonly<Record<WorkerUses, string | undefined>> = {
  code: undefined,
  container: 'env',
  script: 'env',
  http: 'headers',
  handler: undefined,
};

/** Handlers run in the worker, containers in Docker; only code and scripts have a choice. */
export function levelOf(kind: WorkerUses, body: unknown, asked: SandboxLevel | undefined): SandboxLevel | undefined {
  if (kind === 'handler' || kind === 'http') return 'none';
  if (kind === 'script') return scriptLevel(body, asked);
  return kind === 'container' ? 'docker' : asked;
}

/** What is wrong with the body of a task, by its kind. */
export function withFaults({ key, task, document }: Written, kind: WorkerUses): Fault[] {
  const base = ['tasks', key, 'with'];
  if (kind === 'handler') return [];
  if (task.with === undefined)
    return [fault('missing_field', pointerOf(base), `task "${key}" uses ${kind} and needs a "with"`)];
  const parsed = schemaOf(kind).safeParse(task.with);
  if (!parsed.success) return faultsOf(parsed.error, base);
  if (kind === 'http') return httpFaults(task.with, base);
  if (kind === 'script') return scriptFaults({ key, task, level: task.sandbox ?? document.defaults?.sandbox });
  if (sourceOf(kind, task.with)?.includes('${{') === true) {
    const message = 'an expression in source would let data become code: pass the value by input';
    return [fault('bad_value', pointerOf([...base, 'source']), message)];
  }
  return [];
}

function schemaOf(
  kind: Exclude<WorkerUses, 'handler'>,
): typeof codeWithSchema | typeof containerWithSchema | typeof scriptWithSchema | typeof httpWithSchema {
  switch (kind) {
    case 'code':
      return codeWithSchema;
    case 'container':
      return containerWithSchema;
    case 'script':
      return scriptWithSchema;
    case 'http':
      return httpWithSchema;
  }
}

/** What holds for a request as it is written; a URL made by an expression is looked at when it is known. */
function httpFaults(body: unknown, base: readonly string[]): Fault[] {
  const { url, method, body: sent } = httpWithSchema.parse(body);
  const faults: Fault[] = [];
  if (!url.includes('${{') && !(URL.canParse(url) && /^https?:/i.test(url)))
    faults.push(fault('bad_value', pointerOf([...base, 'url']), 'not a URL that begins with http:// or https://'));
  if (sent !== undefined && (method === 'GET' || method === 'HEAD'))
    faults.push(fault('bad_value', pointerOf([...base, 'body']), `a ${method} request has no body`));
  return faults;
}

/** A level that the kind of the task can't have. */
export function levelFaults({ key, task }: Written, kind: WorkerUses): Fault[] {
  const asked = task.sandbox;
  if (asked === undefined) return [];
  const pointer = pointerOf(['tasks', key, 'sandbox']);
  if (kind === 'handler' && asked !== 'none' && task.uses.startsWith('handler/'))
    return [fault('bad_value', pointer, `a handler runs in its worker, at level none, not ${asked}`)];
  if (kind === 'container' && asked !== 'docker')
    return [fault('bad_value', pointer, `a container runs at level docker, not ${asked}`)];
  if (kind === 'http') return [fault('bad_value', pointer, 'a request runs no code: leave out "sandbox"')];
  if (kind === 'code' && asked === 'none' && languageOf(task.with) === 'python')
    return [
      fault('bad_value', pointer, 'Python has an interpreter of its own: it runs at level subprocess or stronger'),
    ];
  return [];
}

function languageOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'language' in body ? body.language : undefined;
}

/** The source of code; undefined for all else. */
export function sourceOf(kind: WorkerUses, body: unknown): string | undefined {
  if (kind !== 'code' || typeof body !== 'object' || body === null || !('source' in body)) return undefined;
  return typeof body.source === 'string' ? body.source : undefined;
}

/** The source is text, never a template. */
export function withoutSource(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return null;
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'source'));
}
