import {
  codeWithSchema,
  containerWithSchema,
  fault,
  faultsOf,
  parseDuration,
  pointerOf,
  type Fault,
  type RetryPolicy,
  type SandboxLevel,
  type TaskDocument,
  type TriggerRule,
  type WorkflowDocument,
} from '@lattice/contracts';
import {
  parseCondition,
  templateReferences,
  type References,
  type Template,
  type TemplateFault,
} from '@lattice/expression';
import { resourceClassOf, type ResourceClass } from './resource-class';
import { readTemplate, unknownUses } from './task-parts';

/** A task of a valid document, with the defaults of the document taken in and its expressions parsed. */
export interface TaskDefinition {
  readonly key: string;
  readonly uses: ResourceClass['uses'];
  /** Name of the function for `handler/NAME`. */
  readonly handler: string | undefined;
  /** All dependencies: those of `needs` and those found from references, each once, sorted. */
  readonly needs: readonly string[];
  /** The body as written; of code without its source, which is never a template. */
  readonly with: Template;
  readonly source: string | undefined;
  readonly env: Template;
  readonly if: Template | undefined;
  readonly trigger: TriggerRule;
  /** True when the task begins a segment of its own: it has a condition, a trigger rule or a queue timeout. */
  readonly guarded: boolean;
  /** What `with`, `env` and `if` refer to. */
  readonly references: References;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  /** From task.queued to the first start. */
  readonly queueTimeoutMs: number | undefined;
  /** The longest silence of an attempt. */
  readonly heartbeatMs: number | undefined;
  readonly resources: TaskDocument['resources'];
  /** The level asked for; undefined means the default of the worker. */
  readonly level: SandboxLevel | undefined;
  readonly class: ResourceClass;
}

interface Reading {
  readonly key: string;
  readonly task: TaskDocument;
  readonly document: WorkflowDocument;
  readonly faults: Fault[];
}

/** Reads one task; its faults are added to `faults`. Undefined when it can't be made sense of. */
export function readTask(reading: Reading): TaskDefinition | undefined {
  const { key, task, document, faults } = reading;
  const base = ['tasks', key];
  const uses = unknownUses(task.uses, key);
  if (uses.length > 0) {
    faults.push(...uses);
    return undefined;
  }
  const kind = kindOf(task.uses);
  faults.push(...withFaults(reading, kind), ...levelFaults(reading, kind));
  const defaults = document.defaults ?? {};
  const body = readTemplate(
    kind === 'code' ? withoutSource(task.with) : (task.with ?? null),
    [...base, 'with'],
    faults,
  );
  const env = readTemplate({ ...defaults.env, ...task.env }, [...base, 'env'], faults);
  const condition = readCondition(task.if, [...base, 'if'], faults);
  const references = merge([body, env, ...(condition === undefined ? [] : [condition])]);
  const handler = kind === 'handler' ? task.uses.slice('handler/'.length) : undefined;
  const queueTimeoutMs = millisecondsOf(task.queueTimeout ?? defaults.queueTimeout);
  const resources = { ...defaults.resources, ...task.resources };
  const trigger = task.trigger ?? 'all-success';
  return {
    key,
    uses: kind,
    handler,
    needs: [...new Set([...listOf(task.needs), ...references.tasks])].sort(),
    with: body,
    source: sourceOf(kind, task.with),
    env,
    if: condition,
    trigger,
    guarded: condition !== undefined || trigger !== 'all-success' || queueTimeoutMs !== undefined,
    references,
    retry: task.retry ?? defaults.retry,
    timeoutMs: millisecondsOf(task.timeout ?? defaults.timeout),
    queueTimeoutMs,
    heartbeatMs: millisecondsOf(task.heartbeat ?? defaults.heartbeat),
    resources,
    level: levelOf(kind, task.sandbox ?? defaults.sandbox),
    class: resourceClassOf({ uses: kind, handler, resources, rules: { ...defaults.runsOn, ...task.runsOn } }),
  };
}

function millisecondsOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration);
}

function kindOf(uses: string): ResourceClass['uses'] {
  if (uses === 'code' || uses === 'container') return uses;
  return 'handler';
}

/** Handlers run in the worker, containers in Docker; only code has a choice. */
function levelOf(kind: ResourceClass['uses'], asked: SandboxLevel | undefined): SandboxLevel | undefined {
  if (kind === 'handler') return 'none';
  return kind === 'container' ? 'docker' : asked;
}

function listOf(needs: TaskDocument['needs']): readonly string[] {
  return typeof needs === 'string' ? [needs] : (needs ?? []);
}

function withFaults({ key, task }: Reading, kind: ResourceClass['uses']): Fault[] {
  const base = ['tasks', key, 'with'];
  if (kind === 'handler') return [];
  if (task.with === undefined)
    return [fault('missing_field', pointerOf(base), `task "${key}" uses ${kind} and needs a "with"`)];
  const parsed = kind === 'code' ? codeWithSchema.safeParse(task.with) : containerWithSchema.safeParse(task.with);
  if (!parsed.success) return faultsOf(parsed.error, base);
  if (sourceOf(kind, task.with)?.includes('${{') === true) {
    const message = 'an expression in source would let data become code: pass the value by input';
    return [fault('bad_value', pointerOf([...base, 'source']), message)];
  }
  return [];
}

function levelFaults({ key, task }: Reading, kind: ResourceClass['uses']): Fault[] {
  const asked = task.sandbox;
  if (asked === undefined) return [];
  const pointer = pointerOf(['tasks', key, 'sandbox']);
  if (kind === 'handler' && asked !== 'none')
    return [fault('bad_value', pointer, `a handler runs in its worker, at level none, not ${asked}`)];
  if (kind === 'container' && asked !== 'docker')
    return [fault('bad_value', pointer, `a container runs at level docker, not ${asked}`)];
  if (kind === 'code' && asked === 'none')
    return [fault('bad_value', pointer, 'code runs at level subprocess or stronger')];
  return [];
}

function sourceOf(kind: ResourceClass['uses'], body: unknown): string | undefined {
  if (kind !== 'code' || typeof body !== 'object' || body === null || !('source' in body)) return undefined;
  return typeof body.source === 'string' ? body.source : undefined;
}

/** The source is text, never a template. */
function withoutSource(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return null;
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'source'));
}

function readCondition(condition: TaskDocument['if'], base: readonly string[], faults: Fault[]): Template | undefined {
  if (condition === undefined) return undefined;
  if (typeof condition === 'boolean') return { kind: 'constant', value: condition };
  const found: TemplateFault[] = [];
  const template = parseCondition(condition, found);
  for (const { error } of found) faults.push(fault(error.code, pointerOf(base), error.message));
  return template;
}

function merge(templates: readonly Template[]): References {
  const all = templates.map(templateReferences);
  return {
    tasks: new Set(all.flatMap(({ tasks }) => [...tasks])),
    inputs: new Set(all.flatMap(({ inputs }) => [...inputs])),
    statusOf: new Set(all.flatMap(({ statusOf }) => [...statusOf])),
    allInputs: all.some(({ allInputs }) => allInputs),
  };
}
