import {
  DEFAULT_CACHE_TTL,
  fault,
  parseDuration,
  pointerOf,
  type Fault,
  type RetryPolicy,
  type SandboxLevel,
  type TaskDocument,
  type TriggerRule,
  type WorkflowDocument,
} from '@lattice/contracts';
import { mergeReferences, templateReferences, type References, type Template } from '@lattice/expression';
import type { Examine } from './body';
import { readControl, type ControlStep } from './control';
import { STAND_IN, kindOf, type Kind } from './kinds';
import { CONTROL_CLASS, resourceClassOf, type ResourceClass } from './resource-class';
import { readPlacement } from './placement';
import { SECRET_FIELDS, levelFaults, levelOf, sourceOf, withFaults, withoutSource } from './task-body';
import { listOf, readCondition, readSecretTemplate, readTemplate, unknownUses } from './task-parts';

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
  /** Tasks whose `status` its condition asks for: of dependencies among them it decides itself about failures. */
  readonly asksStatusOf: ReadonlySet<string>;
  readonly trigger: TriggerRule;
  /** True when the task begins a segment of its own: it has a condition, a trigger rule or a queue timeout. */
  readonly guarded: boolean;
  /** What `with`, `env` and `if` refer to. */
  readonly references: References;
  readonly retry: RetryPolicy | undefined;
  /** Added to the priority of the run. */
  readonly priority: number;
  readonly timeoutMs: number | undefined;
  /** From task.queued to the first start. */
  readonly queueTimeoutMs: number | undefined;
  /** The longest silence of an attempt. */
  readonly heartbeatMs: number | undefined;
  /** Its result is kept for so long, under the key or, without one, under what is asked. */
  readonly cache: { readonly key: Template | undefined; readonly ttlMs: number } | undefined;
  readonly resources: TaskDocument['resources'];
  /** The level asked for; undefined means the default of the worker. */
  readonly level: SandboxLevel | undefined;
  readonly class: ResourceClass;
  /** Which tasks may come into one batch with it; undefined when it comes into none. */
  readonly batchKey: Template | undefined;
  /** What a scheduler does for it; undefined for tasks of workers. */
  readonly control: ControlStep | undefined;
  /** Switches that have the task in an arm: it runs only if each of them took such an arm. */
  readonly arms: readonly string[];
  /** For each switch whose arms come together again here: the dependencies that lie in its arms. */
  readonly joins: readonly (readonly string[])[];
}

interface Reading {
  readonly key: string;
  readonly task: TaskDocument;
  readonly document: WorkflowDocument;
  /** Switches that have the task in an arm. */
  readonly arms: readonly string[];
  readonly faults: Fault[];
  /** Resource classes of the document by name: most tasks share one. */
  readonly classes: Map<string, ResourceClass>;
  /** Reads the body of a map or loop. */
  readonly examine: Examine;
}

/** Reads one task; its faults are added to `faults`. */
export function readTask(reading: Reading): TaskDefinition {
  const { key, task, faults } = reading;
  const unknown = unknownUses(task.uses, key);
  faults.push(...unknown);
  // What depends on what counts all the same, so that all faults are told together.
  const kind = kindOf(unknown.length > 0 ? STAND_IN : task.uses);
  return kind.by === 'worker' ? readWorkerTask(reading, kind) : readControlTask(reading, kind);
}

type Common = Pick<
  TaskDefinition,
  | 'key'
  | 'needs'
  | 'if'
  | 'asksStatusOf'
  | 'trigger'
  | 'guarded'
  | 'references'
  | 'retry'
  | 'priority'
  | 'timeoutMs'
  | 'arms'
  | 'joins'
>;

/** What tasks of all kinds have in common; `own` are the references of what is particular to the kind. */
function readCommon({ key, task, document, arms, faults }: Reading, own: References | undefined): Common {
  const defaults = document.defaults ?? {};
  const condition = task.if === undefined ? undefined : readCondition(task.if, ['tasks', key, 'if'], faults);
  const asked = condition === undefined ? undefined : templateReferences(condition);
  const references = mergeReferences([own, asked].filter((some) => some !== undefined));
  const around = new Set(document.within?.tasks ?? []);
  const named = [...references.tasks].filter((name) => !around.has(name));
  const trigger = task.trigger ?? 'all-success';
  return {
    key,
    needs: [...new Set([...listOf(task.needs ?? []), ...named, ...arms])].sort(),
    if: condition,
    asksStatusOf: asked?.statusOf ?? new Set(),
    trigger,
    guarded: condition !== undefined || trigger !== 'all-success' || arms.length > 0,
    references,
    retry: task.retry ?? defaults.retry,
    priority: task.priority ?? 0,
    timeoutMs: millisecondsOf(task.timeout ?? defaults.timeout),
    arms,
    joins: [],
  };
}

function millisecondsOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration);
}

const NO_ENV: Template = { kind: 'constant', value: {} };
const NO_RESOURCES: NonNullable<TaskDefinition['resources']> = {};

function readWorkerTask(reading: Reading, kind: Extract<Kind, { by: 'worker' }>): TaskDefinition {
  const { key, task, document, faults } = reading;
  const { uses, handler } = kind;
  faults.push(...withFaults(reading, uses), ...levelFaults(reading, uses));
  const defaults = document.defaults ?? {};
  const body = readSecretTemplate({
    value: uses === 'code' ? withoutSource(task.with) : (task.with ?? null),
    base: ['tasks', key, 'with'],
    faults,
    mayHold: ([field]) => field === SECRET_FIELDS[uses],
  });
  const { placement, batchKey } = readPlacement({ key, task, document, uses, faults });
  const env =
    defaults.env === undefined && task.env === undefined
      ? NO_ENV
      : readSecretTemplate({
          value: { ...defaults.env, ...task.env },
          base: ['tasks', key, 'env'],
          faults,
          // A batch is one call for tasks of several runs.
          mayHold: () => batchKey === undefined,
        });
  const resources =
    defaults.resources === undefined && task.resources === undefined
      ? NO_RESOURCES
      : { ...defaults.resources, ...task.resources };
  const queueTimeoutMs = millisecondsOf(task.queueTimeout ?? defaults.queueTimeout);
  const cache = readCache(reading);
  const keys = [batchKey, cache?.key].filter((template) => template !== undefined);
  const common = readCommon(reading, mergeReferences([body, env, ...keys].map(templateReferences)));
  return taskOf(common, {
    guarded: common.guarded || queueTimeoutMs !== undefined,
    queueTimeoutMs,
    heartbeatMs: millisecondsOf(task.heartbeat ?? defaults.heartbeat),
    cache,
    uses,
    handler,
    with: body,
    source: sourceOf(uses, task.with),
    env,
    resources,
    level: levelOf(uses, task.with, task.sandbox ?? defaults.sandbox),
    class: shared(
      reading.classes,
      resourceClassOf({ uses, handler, resources, rules: { ...defaults.runsOn, ...task.runsOn }, placement }),
    ),
    batchKey,
    control: undefined,
  });
}

/** The class of that name which is known already, or this one: a graph of 10,000 tasks need not hold as many. */
function shared(classes: Map<string, ResourceClass>, found: ResourceClass): ResourceClass {
  const known = classes.get(found.name);
  if (known !== undefined) return known;
  classes.set(found.name, found);
  return found;
}

/** Field by field: with the one part spread into the other, a document of 10,000 tasks took three times as long to read. */
function taskOf(common: Common, own: Omit<TaskDefinition, Exclude<keyof Common, 'guarded'>>): TaskDefinition {
  return {
    key: common.key,
    uses: own.uses,
    handler: own.handler,
    needs: common.needs,
    with: own.with,
    source: own.source,
    env: own.env,
    if: common.if,
    asksStatusOf: common.asksStatusOf,
    trigger: common.trigger,
    guarded: own.guarded,
    references: common.references,
    retry: common.retry,
    priority: common.priority,
    timeoutMs: common.timeoutMs,
    queueTimeoutMs: own.queueTimeoutMs,
    heartbeatMs: own.heartbeatMs,
    cache: own.cache,
    resources: own.resources,
    level: own.level,
    class: own.class,
    batchKey: own.batchKey,
    control: own.control,
    arms: common.arms,
    joins: common.joins,
  };
}

function readCache({ key, task, faults }: Reading): TaskDefinition['cache'] {
  const { cache } = task;
  if (cache === undefined) return undefined;
  const ttlMs = parseDuration(cache.ttl ?? DEFAULT_CACHE_TTL) ?? 0;
  return {
    key: cache.key === undefined ? undefined : readTemplate(cache.key, ['tasks', key, 'cache', 'key'], faults),
    ttlMs,
  };
}

const NOTHING: Template = { kind: 'constant', value: null };

function readControlTask(reading: Reading, kind: Extract<Kind, { by: 'scheduler' }>): TaskDefinition {
  reading.faults.push(...workerFieldFaults(reading));
  const read = readControl(reading, kind.control, kind.workflow);
  const common = readCommon(reading, read?.references);
  return taskOf(common, {
    guarded: common.guarded,
    queueTimeoutMs: undefined,
    heartbeatMs: undefined,
    cache: undefined,
    uses: 'control',
    handler: undefined,
    with: NOTHING,
    source: undefined,
    env: NOTHING,
    resources: {},
    level: undefined,
    class: CONTROL_CLASS,
    batchKey: undefined,
    control: read?.step,
  });
}

const WORKER_FIELDS = [
  'resources',
  'runsOn',
  'prefer',
  'preferWait',
  'place',
  'batch',
  'sandbox',
  'env',
  'queueTimeout',
  'heartbeat',
  'cache',
] as const;

/** Fields that say how a worker does a task, where no worker does it. */
function workerFieldFaults({ key, task }: Reading): Fault[] {
  return WORKER_FIELDS.flatMap((name) =>
    task[name] === undefined
      ? []
      : [
          fault(
            'bad_value',
            pointerOf(['tasks', key, name]),
            `a ${task.uses} task holds no worker: leave out "${name}"`,
          ),
        ],
  );
}
