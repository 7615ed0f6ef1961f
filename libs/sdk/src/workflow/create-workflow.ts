import {
  LatticeError,
  faultsOf,
  isTaskKey,
  workflowNameSchema,
  type TaskDocument,
  type TriggerRule,
  type WorkflowDocument,
} from '@lattice/contracts';
import { z } from 'zod';
import type { LatticeClient } from '../client';
import type { SubmitOptions } from '../client-options';
import { documentOfTask } from './document-of-task';
import { referenceTo, type Bound, type Owner, type Ref, type Reference, type Resolved } from './reference';
import { RunHandle } from './run-handle';
import { declarationsOf, missingIn, type Checked, type Given, type SchemaLike } from './schema';
import type { Task } from './task';
import { templateOf } from './template';

export interface WorkflowOptions<S extends z.ZodRawShape> {
  /** Its inputs, as zod schemas by name. */
  inputs?: S;
  description?: string;
  onFailure?: 'cancel' | 'continue';
  /** Of a whole run, a duration such as `10m`. */
  timeout?: string;
  /** false: every task of a chain is a job of its own. */
  fuse?: boolean;
  tags?: string[];
}

export interface AddOptions {
  /** Name of the task within the workflow; made of the name of the task when absent. */
  key?: string;
  /** Tasks to wait for that pass no data. */
  needs?: { readonly key: string }[];
  /** CEL that decides whether it runs, or a reference to a boolean. */
  if?: string | boolean | Reference<boolean>;
  trigger?: TriggerRule;
}

/** A task in a workflow. */
export interface TaskNode<T> {
  readonly key: string;
  /** What it will give; its fields are references too. */
  readonly output: Ref<T>;
}

/** No inputs may be left out when all of them may. */
type Rest<I> = unknown extends I
  ? [inputs?: unknown, options?: AddOptions]
  : I extends undefined
    ? [inputs?: unknown, options?: AddOptions]
    : [inputs: Bound<I>, options?: AddOptions];

type InputsOf<S extends z.ZodRawShape> = z.input<z.ZodObject<S>>;

export type RunOptions = Omit<SubmitOptions & { workflow: unknown }, 'workflow' | 'version' | 'inputs'>;

/** A new workflow. Throws `bad_value` for a name that is none. */
export function createWorkflow<S extends z.ZodRawShape = z.ZodRawShape & Record<never, never>>(
  name: string,
  options: WorkflowOptions<S> = {},
): Workflow<S, unknown> {
  const checked = workflowNameSchema.safeParse(name);
  if (!checked.success) throw new LatticeError('bad_value', `"${name}" is ${checked.error.issues[0]?.message ?? ''}`);
  return new Workflow(name, options);
}

/** A workflow in the making: tasks are added to it, and dependencies are found from the references between them. */
export class Workflow<S extends z.ZodRawShape, R> {
  /** References to the inputs of the run. */
  readonly inputs: Ref<z.output<z.ZodObject<S>>>;
  private readonly tasks = new Map<string, TaskDocument>();
  private outputs: Record<string, z.core.util.JSONType> | undefined;

  constructor(
    readonly name: string,
    private readonly options: WorkflowOptions<S>,
    /** Whose references are meant by it: the workflow that `returns` gives is the same one. */
    private readonly owner: Owner = { name },
  ) {
    this.inputs = referenceTo<z.output<z.ZodObject<S>>>('inputs', [owner]);
  }

  /**
   * Adds a task. Its inputs are values and references to the inputs of the workflow or to outputs of tasks added before; whose
   * output is referred to is waited for. Throws `bad_value`, `bad_task_key`, `duplicate`, `code_not_portable`.
   */
  add<I extends SchemaLike | undefined, O extends SchemaLike | undefined>(
    task: Task<I, O>,
    ...[inputs, options = {}]: Rest<Given<I>>
  ): TaskNode<Checked<O>> {
    const key = this.keyOf(task.name, options.key);
    const { needs = [], if: condition, trigger } = options;
    for (const { key: needed } of needs) {
      if (!this.tasks.has(needed)) throw new LatticeError('unknown_dependency', `"${needed}" is not in ${this.name}`);
    }
    const input = templateOf(inputs, ['tasks', key, 'with'], this.owner);
    const missing = missingIn(task.inputs, inputs);
    if (missing.length > 0) throw new LatticeError('bad_value', `"${key}" is given no ${missing.join(', ')}`);
    const document = documentOfTask(task, { input });
    this.tasks.set(key, {
      ...document,
      ...(needs.length === 0 ? {} : { needs: [...new Set(needs.map((node) => node.key))] }),
      ...(condition === undefined ? {} : { if: this.conditionOf(condition, key) }),
      ...(trigger === undefined ? {} : { trigger }),
    });
    return { key, output: referenceTo<Checked<O>>(`tasks.${key}.output`, [this.owner]) };
  }

  /** What a run gives: values and references. The same workflow, with the type of its result. */
  returns<M extends Record<string, unknown>>(outputs: M): Workflow<S, Resolved<M>> {
    const entries = Object.entries(outputs).map(
      ([name, value]) => [name, templateOf(value, ['outputs', name], this.owner)] as const,
    );
    const typed = new Workflow<S, Resolved<M>>(this.name, this.options, this.owner);
    for (const [key, task] of this.tasks) typed.tasks.set(key, task);
    typed.outputs = Object.fromEntries(entries);
    return typed;
  }

  /** The workflow as a document, as POST /v1/workflows takes it. */
  toDocument(): WorkflowDocument {
    const { inputs, ...settings } = this.options;
    return {
      name: this.name,
      ...settings,
      ...(inputs === undefined ? {} : { inputs: declarationsOf(inputs) }),
      tasks: Object.fromEntries(this.tasks),
      ...(this.outputs === undefined ? {} : { outputs: this.outputs }),
    };
  }

  /** Submits a run. Throws `invalid_inputs`, and what `client.submit` throws. */
  async run(
    client: LatticeClient,
    ...[inputs, options]: Record<never, never> extends InputsOf<S>
      ? [inputs?: InputsOf<S>, options?: RunOptions]
      : [inputs: InputsOf<S>, options?: RunOptions]
  ): Promise<RunHandle<R>> {
    const checked = this.checkInputs(inputs);
    const { runId } = await client.submit({ ...options, workflow: this.toDocument(), inputs: checked });
    return new RunHandle<R>(client, runId);
  }

  private checkInputs(inputs: unknown): Record<string, z.core.util.JSONType> {
    const { inputs: shape } = this.options;
    const schema = shape === undefined ? z.strictObject({}) : z.strictObject(shape);
    const parsed = schema.safeParse(inputs ?? {});
    if (!parsed.success) {
      const faults = faultsOf(parsed.error, ['inputs']);
      const message = faults.map((one) => `${one.pointer} ${one.message}`).join('; ');
      throw new LatticeError('invalid_inputs', `the inputs of ${this.name} do not fit: ${message}`, { faults });
    }
    return z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(parsed.data)));
  }

  private keyOf(name: string, asked: string | undefined): string {
    if (asked !== undefined) {
      if (!isTaskKey(asked)) throw new LatticeError('bad_task_key', `"${asked}" may not name a task`);
      if (this.tasks.has(asked)) throw new LatticeError('duplicate', `${this.name} has a task "${asked}" already`);
      return asked;
    }
    const plain = name.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 50);
    const base = isTaskKey(plain) ? plain : `task_${plain}`;
    for (let count = 1; ; count += 1) {
      const key = count === 1 ? base : `${base}_${count}`;
      if (!this.tasks.has(key)) return key;
    }
  }
  private conditionOf(condition: NonNullable<AddOptions['if']>, key: string): string | boolean {
    if (typeof condition !== 'object') return condition;
    const template = templateOf(condition, ['tasks', key, 'if'], this.owner);
    return typeof template === 'string' ? template : false;
  }
}
