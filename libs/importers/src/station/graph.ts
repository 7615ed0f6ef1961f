import { fault, pointerOf, type Fault } from '@lattice/contracts';
import { stepTo } from '../cel-text';
import type { Named } from '../python-names';
import type { Block, State } from './read-states';
import type { Scope } from './scope';

/** What a state leaves in the context: at `path` is the value that `read` gives the fields of. */
export interface Write {
  readonly path: readonly string[];
  readonly read: (fields: readonly string[]) => Named;
}

/** A state on its way to tasks. */
export interface Node {
  readonly state: State;
  readonly graph: Graph;
  /** Key of its main task: completed when the state is done. */
  readonly key: string;
  /** The ways that lead to it. */
  readonly edges: Edge[];
  /** States that may come next, each once. */
  readonly next: readonly string[];
  /** In the order in which they are made. */
  readonly writes: Write[];
  /** Its value as an expression, once its tasks are made. */
  value: string;
  /** Of a switch: the first tasks of each arm. */
  readonly arms: Record<string, string[]>;
  /** What `output` and `resultPath` of the state name, as expressions. */
  readonly named: Map<string, string>;
  /** What was looked up here, where several ways come together. */
  readonly joined: Map<string, Named | undefined>;
}

export interface Edge {
  readonly from: Node;
  /** The task that is completed when this way was taken. */
  via: string;
}

/** What names a graph knows by itself: the item of a foreach, the error of a try. */
export type Bind = (path: readonly string[]) => Named | undefined;

/** The states of a block that are reached. */
export interface Graph {
  readonly scope: Scope;
  /** The state that has the block. */
  readonly owner: Node | undefined;
  readonly bind: Bind | undefined;
  /** Every state after those that lead to it. */
  readonly nodes: readonly Node[];
  /** Keys of the tasks that come first. */
  readonly first: readonly string[];
  /** States at which it ends. */
  readonly ends: readonly Node[];
  readonly unreached: readonly State[];
}

/** States that a state may lead to. In a block within a state, one that says nothing leads to the next. */
export function nextOf(state: State, following: State | undefined): string[] {
  const { spec, kind } = state;
  if (kind === 'switch') {
    const targets = [...(spec.conditions ?? []).map(({ next }) => next), spec.defaultNext ?? ''];
    return [...new Set(targets)].filter((id) => id !== '');
  }
  if (spec.end === true) return [];
  const named = spec.transition || spec.next;
  if (named) return [named];
  return following === undefined ? [] : [following.id];
}

/** The states of a block that are reached, in order; the ways that lead back are faults. */
export function orderOf(
  block: Block,
  isInner: boolean,
): { order: { state: State; next: string[] }[]; unreached: State[]; faults: Fault[] } {
  const byId = new Map(
    block.states.map((state, index) => [
      state.id,
      { state, next: nextOf(state, isInner ? block.states[index + 1] : undefined) },
    ]),
  );
  const faults: Fault[] = [];
  const done = new Set<string>();
  const open = new Set<string>();
  const order: { state: State; next: string[] }[] = [];
  const stack: { id: string; at: number }[] = [{ id: block.start, at: 0 }];
  open.add(block.start);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const entry = byId.get(top.id);
    // From behind, so that the arms of a switch come out in their order.
    const next = entry?.next[entry.next.length - 1 - top.at];
    top.at += 1;
    if (next === undefined) {
      if (entry !== undefined) order.push(entry);
      done.add(top.id);
      open.delete(top.id);
      stack.pop();
    } else if (open.has(next)) {
      const ids = stack.map(({ id }) => id);
      if (entry !== undefined) faults.push(backward(entry.state, [...ids.slice(ids.indexOf(next)), next]));
    } else if (!done.has(next)) {
      open.add(next);
      stack.push({ id: next, at: 0 });
    }
  }
  const unreached = block.states.filter(({ id }) => !done.has(id));
  return { order: order.reverse(), unreached, faults };
}

function backward({ at, spec, kind }: State, ids: readonly string[]): Fault {
  const field = kind === 'switch' ? [] : [spec.transition ? 'transition' : 'next'];
  const shown = ids.length > 12 ? [...ids.slice(0, 6), '...', ...ids.slice(-5)] : ids;
  const message = `the states form a cycle: ${shown.join(' -> ')}. Tasks run once; say it with a task that uses loop.`;
  return fault('cycle', pointerOf([...at, ...field]), message);
}

/** A value with its fields as they are. */
export function plain(cel: string): Write['read'] {
  return () => ({ cel, used: 0 });
}

/** A value of which some first fields name the whole. */
export function whole(cel: string, names: readonly string[]): Write['read'] {
  return ([first = '']) => ({ cel, used: names.includes(first) ? 1 : 0 });
}

/** The expression of a value's fields. */
export function fieldsOf({ cel, used }: Named, fields: readonly string[]): string {
  return cel + fields.slice(used).map(stepTo).join('');
}
