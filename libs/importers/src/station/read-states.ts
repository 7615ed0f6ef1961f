import { fault, faultsOf, pointerOf, type Fault } from '@lattice/contracts';
import { z } from 'zod';
import { FaultList } from '../fault-list';
import { durationOf } from './go-duration';
import { kindOf, type StateKind } from './state-kinds';
import { blockSchema, fileSchema, stateSchema, type Head, type Spec } from './state-spec';

/** States of a file, those within others counted. A person writes dozens. */
const MOST_STATES = 500;
/** States within states. */
const DEEPEST = 10;

/** States that lead to one another. */
export interface Block {
  readonly states: readonly State[];
  /** Id of the first. */
  readonly start: string;
  /** What it is of its state: a branch, the iterator. */
  readonly name: string;
  /** Fields of it that nothing here is made of. */
  readonly unused: readonly string[];
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

interface BlockSpec extends Partial<Pick<Block, 'name' | 'unused'>> {
  readonly states: readonly unknown[];
  readonly start?: string | null | undefined;
}

const NOTHING: Block = { states: [], start: '', name: '', unused: [] };

/** A foreach without an iterator is the short form with an agent. */
export function hasIterator({ iterator }: Spec): boolean {
  return iterator !== undefined && iterator !== null;
}

/** Names of the fields that say something. */
function given(fields: Record<string, unknown>): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [name],
  );
}

class Reading {
  private count = 0;

  constructor(private readonly faults: FaultList) {}

  block({ states, start, name = '', unused = [] }: BlockSpec, at: Path): Block {
    this.count += states.length;
    if (this.count > MOST_STATES || at.length > 3 * DEEPEST) {
      this.fault(
        'bad_value',
        [...at, 'states'],
        `more than ${MOST_STATES} states, or states more than ${DEEPEST} deep`,
      );
      return NOTHING;
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
    return { states: read, start: start ?? read[0]?.id ?? '', name, unused };
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
        try: kind === 'try' ? this.inner(spec, 'try', at) : undefined,
        catch: kind === 'try' ? this.inner(spec, 'catch', at) : undefined,
        finally: kind === 'try' ? this.inner(spec, 'finally', at) : undefined,
      },
    ];
  }

  private inner(spec: Spec, name: 'iterator' | 'try' | 'catch' | 'finally', at: Path): Block | undefined {
    const value = spec[name];
    if (value === undefined || value === null) return undefined;
    const parsed = blockSchema.safeParse(value);
    if (!parsed.success) {
      this.faults.add(...faultsOf(parsed.error, [...at, name]));
      return undefined;
    }
    const { states, start, ...rest } = parsed.data;
    return this.block({ states, start, name, unused: given(rest) }, [...at, name]);
  }

  private branches({ branches }: Spec, at: Path): State['branches'] {
    const taken = new Set<string>();
    return (branches ?? []).map(({ id, name, start, states, ...rest }, index) => {
      const place = [...at, 'branches', index];
      const called = name || id || `branch_${index + 1}`;
      if (taken.has(called)) this.fault('duplicate', place, `branch "${called}" is there already`);
      taken.add(called);
      const what = `branch "${called.slice(0, 100)}"`;
      if (states && states.length > 0)
        return { name: called, block: this.block({ states, start, name: what, unused: given(rest) }, place) };
      if (rest.agent) return { name: called, block: this.one(rest, { id: called, name: what, at: place }) };
      this.fault('missing_field', [...place, 'states'], 'a branch has states, or an agent');
      return { name: called, block: NOTHING };
    });
  }

  private iterator(spec: Spec, at: Path): Block | undefined {
    if (hasIterator(spec)) return this.inner(spec, 'iterator', at);
    const { agent, task, agentTask, prompt, retry } = spec;
    const id = `${spec.id || spec.name || ''}_each`;
    if (agent) return this.one({ agent, task, agentTask, prompt, retry }, { id, name: 'iterator', at });
    this.fault('missing_field', [...at, 'iterator'], 'a foreach has an iterator with states, or an agent');
    return undefined;
  }

  /** The short form of a block with one agent: what it has is that of the state. Nothing comes after it. */
  private one(
    { transition, next, ...fields }: Record<string, unknown>,
    { id, name, at }: { id: string; name: string; at: Path },
  ): Block {
    const parsed = stateSchema.safeParse({ ...fields, id, type: 'agent', end: true });
    if (!parsed.success) {
      this.faults.add(...faultsOf(parsed.error, at));
      return NOTHING;
    }
    const none = { iterator: undefined, try: undefined, catch: undefined, finally: undefined };
    const state: State = { id, kind: 'agent', spec: parsed.data, at, branches: [], ...none };
    return { states: [state], start: id, name, unused: given({ transition, next }) };
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
