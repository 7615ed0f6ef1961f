import { fault, faultsOf, pointerOf, type Fault } from '@lattice/contracts';
import { z } from 'zod';
import { FaultList } from '../fault-list';
import { durationOf } from './go-duration';
import { kindOf, type StateKind } from './state-kinds';

/** States of a file, those within others counted. A person writes dozens. */
const MOST_STATES = 500;
/** States within states. */
const DEEPEST = 10;

const textSchema = z.string().nullish();
const jsonObject = z.record(z.string(), z.json());
const durationSchema = z.string().refine((text) => durationOf(text) !== undefined, {
  message: 'not a duration such as 30s, 5m, 1h30m',
  params: { code: 'bad_duration' },
});

const stateSchema = z.looseObject({
  id: textSchema,
  name: textSchema,
  type: z.string().min(1),
  input: jsonObject.nullish(),
  output: jsonObject.nullish(),
  transition: textSchema,
  next: textSchema,
  end: z.boolean().nullish(),
  retry: z
    .strictObject({
      max_attempts: z.int().min(0).max(100).nullish(),
      backoff: textSchema,
      retry_on: z.array(z.string()).nullish(),
    })
    .nullish(),
  timeout: durationSchema.nullish(),
  description: textSchema,
  operation: textSchema,
  agent: textSchema,
  task: textSchema,
  agentTask: textSchema,
  prompt: textSchema,
  message: textSchema,
  approval_title: textSchema,
  approvers: z.array(z.string()).nullish(),
  dataPath: textSchema,
  conditions: z.array(z.strictObject({ if: z.string().min(1), next: z.string().min(1) })).nullish(),
  defaultNext: textSchema,
  data: jsonObject.nullish(),
  resultPath: textSchema,
  branches: z
    .array(
      z.looseObject({
        id: textSchema,
        name: textSchema,
        start: textSchema,
        agent: textSchema,
        states: z.array(z.unknown()).nullish(),
      }),
    )
    .nullish(),
  join: z.strictObject({ mode: z.literal('all').nullish() }).nullish(),
  itemsPath: textSchema,
  itemName: textSchema,
  itemVariable: textSchema,
  maxConcurrency: z.int().nullish(),
  iterator: z.unknown().optional(),
  cron: textSchema,
  timezone: textSchema,
  enabled: z.boolean().nullish(),
  duration: durationSchema.nullish(),
  try: z.unknown().optional(),
  catch: z.unknown().optional(),
  finally: z.unknown().optional(),
  expression: textSchema,
  inputPath: textSchema,
  outputPath: textSchema,
  outputAggregation: textSchema,
});
export type Spec = z.infer<typeof stateSchema>;

const blockSchema = z.looseObject({ start: textSchema, states: z.array(z.unknown()).min(1) });

const headSchema = z.looseObject({
  id: z.string().min(1),
  name: textSchema,
  version: z.union([z.string(), z.number()]).nullish(),
  description: textSchema,
  inputSchema: z
    .looseObject({
      properties: z.record(z.string(), z.looseObject({})).nullish(),
      required: z.array(z.string()).nullish(),
    })
    .nullish(),
});
const fileSchema = headSchema.extend({ start: textSchema, states: z.array(z.unknown()).min(1) });
export type Head = z.infer<typeof headSchema>;

/** States that lead to one another. */
export interface Block {
  readonly states: readonly State[];
  /** Id of the first. */
  readonly start: string;
}

export interface State {
  readonly id: string;
  readonly kind: StateKind;
  readonly spec: Spec;
  /** Where it stands in the file. */
  readonly at: readonly (string | number)[];
  readonly branches: readonly { readonly name: string; readonly block: Block }[];
  readonly iterator: Block | undefined;
  readonly try: Block | undefined;
  readonly catch: Block | undefined;
  readonly finally: Block | undefined;
}

export interface StationFile {
  readonly head: Head;
  readonly block: Block;
}

export type ReadFile =
  { readonly ok: true; readonly file: StationFile } | { readonly ok: false; readonly faults: readonly Fault[] };

/** Reads a workflow of Station; all faults together, with pointers into the file. */
export function readStates(value: unknown): ReadFile {
  const parsed = fileSchema.safeParse(value);
  const faults = new FaultList();
  if (!parsed.success) {
    faults.add(...faultsOf(parsed.error));
    const { states } = z.looseObject({ states: z.array(z.unknown()).min(1) }).safeParse(value).data ?? {};
    if (states !== undefined) new Reading(faults).block({ states }, []);
    return { ok: false, faults: faults.toArray() };
  }
  const { states, start, ...head } = parsed.data;
  const block = new Reading(faults).block({ states, start }, []);
  if (!faults.isEmpty) return { ok: false, faults: faults.toArray() };
  return { ok: true, file: { head, block } };
}

type Path = readonly (string | number)[];

class Reading {
  private count = 0;

  constructor(private readonly faults: FaultList) {}

  block({ states, start }: { states: readonly unknown[]; start?: string | null | undefined }, at: Path): Block {
    this.count += states.length;
    if (this.count > MOST_STATES || at.length > 3 * DEEPEST) {
      this.fault(
        'bad_value',
        [...at, 'states'],
        `more than ${MOST_STATES} states, or states more than ${DEEPEST} deep`,
      );
      return { states: [], start: '' };
    }
    const read = states.flatMap((state, index) => this.state(state, [...at, 'states', index]));
    const ids = new Map<string, State>();
    for (const state of read) {
      const before = ids.get(state.id);
      if (before !== undefined)
        this.fault('duplicate', state.at, `state "${state.id}" is there already, at ${pointerOf(before.at)}`);
      ids.set(state.id, state);
    }
    // A state with faults has no id to be found by.
    if (read.length === states.length) this.targets(read, ids, { start, at });
    return { states: read, start: start ?? read[0]?.id ?? '' };
  }

  private targets(
    states: readonly State[],
    ids: ReadonlyMap<string, State>,
    block: { start: string | null | undefined; at: Path },
  ): void {
    const known = (id: string | null | undefined, at: Path): void => {
      if (id === undefined || id === null || id === '' || ids.has(id)) return;
      this.fault('unknown_dependency', at, `there is no state "${id.slice(0, 100)}" here`);
    };
    known(block.start, [...block.at, 'start']);
    for (const { spec, at } of states) {
      known(spec.transition, [...at, 'transition']);
      if (!spec.transition) known(spec.next, [...at, 'next']);
      known(spec.defaultNext, [...at, 'defaultNext']);
      spec.conditions?.forEach(({ next }, index) => known(next, [...at, 'conditions', index, 'next']));
    }
  }

  private state(value: unknown, at: Path): State[] {
    const parsed = stateSchema.safeParse(value);
    if (!parsed.success) {
      this.faults.add(...faultsOf(parsed.error, at));
      return [];
    }
    const spec = parsed.data;
    const id = spec.id || spec.name;
    if (!id) {
      this.fault('missing_field', [...at, 'id'], 'missing field "id"');
      return [];
    }
    const kind = kindOf(spec);
    this.missing(kind, spec, at);
    return [
      {
        id,
        kind,
        spec,
        at,
        branches: kind === 'parallel' ? this.branches(spec, at) : [],
        iterator: kind === 'foreach' ? this.iterator(spec, at) : undefined,
        try: kind === 'try' ? this.inner(spec.try, [...at, 'try']) : undefined,
        catch: kind === 'try' ? this.inner(spec.catch, [...at, 'catch']) : undefined,
        finally: kind === 'try' ? this.inner(spec.finally, [...at, 'finally']) : undefined,
      },
    ];
  }

  private inner(value: unknown, at: Path): Block | undefined {
    if (value === undefined || value === null) return undefined;
    const parsed = blockSchema.safeParse(value);
    if (parsed.success) return this.block(parsed.data, at);
    this.faults.add(...faultsOf(parsed.error, at));
    return undefined;
  }

  private branches({ branches }: Spec, at: Path): State['branches'] {
    const taken = new Set<string>();
    return (branches ?? []).map(({ id, name, start, agent, states }, index) => {
      const place = [...at, 'branches', index];
      const called = name || id || `branch_${index + 1}`;
      if (taken.has(called)) this.fault('duplicate', place, `branch "${called}" is there already`);
      taken.add(called);
      if (states && states.length > 0) return { name: called, block: this.block({ states, start }, place) };
      if (agent) return { name: called, block: this.one(called, agent, place) };
      this.fault('missing_field', [...place, 'states'], 'a branch has states, or an agent');
      return { name: called, block: { states: [], start: '' } };
    });
  }

  private iterator({ iterator, agent, id, name }: Spec, at: Path): Block | undefined {
    if (iterator !== undefined && iterator !== null) return this.inner(iterator, [...at, 'iterator']);
    if (agent) return this.one(`${id || name || ''}_each`, agent, at);
    this.fault('missing_field', [...at, 'iterator'], 'a foreach has an iterator with states, or an agent');
    return undefined;
  }

  /** The short form of a block with one agent. */
  private one(id: string, agent: string, at: Path): Block {
    const spec = stateSchema.parse({ id, type: 'agent', agent, end: true });
    const none = { iterator: undefined, try: undefined, catch: undefined, finally: undefined };
    return { states: [{ id, kind: 'agent', spec, at, branches: [], ...none }], start: id };
  }

  private missing(kind: StateKind, spec: Spec, at: Path): void {
    for (const field of missingFields(kind, spec))
      this.fault('missing_field', [...at, field], `a state of type ${spec.type} needs "${field}"`);
  }

  private fault(code: Parameters<typeof fault>[0], at: Path, message: string): void {
    this.faults.add(fault(code, pointerOf(at), message));
  }
}

function missingFields(kind: StateKind, spec: Spec): string[] {
  const input = spec.input ?? {};
  switch (kind) {
    case 'agent':
      return spec.agent || isGiven(input['agent']) || isGiven(input['agent_id']) ? [] : ['agent'];
    case 'approval':
      return spec.message || spec.prompt || isGiven(input['message']) ? [] : ['message'];
    case 'switch':
      return (spec.conditions ?? []).length > 0 || spec.defaultNext ? [] : ['conditions'];
    case 'inject':
      return spec.data && Object.keys(spec.data).length > 0 ? [] : ['data'];
    case 'parallel':
      return (spec.branches ?? []).length > 0 ? [] : ['branches'];
    case 'foreach':
      return spec.itemsPath ? [] : ['itemsPath'];
    case 'timer':
      return spec.duration || (typeof input['duration'] === 'string' && durationOf(input['duration']))
        ? []
        : ['duration'];
    case 'try':
      return spec.try === undefined || spec.try === null ? ['try'] : [];
    case 'cron':
      return spec.cron ? [] : ['cron'];
    case 'transform':
      return spec.expression ? [] : ['expression'];
    case 'operation':
    case 'signal':
      return [];
  }
}

function isGiven(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
