import { isTaskKey } from '@lattice/contracts';
import { choice, stepTo } from '../cel-text';
import type { Named } from '../python-names';
import { inputKey } from './inputs';
import { fieldsOf, type Edge, type Node, type Write } from './graph';
import type { Scope } from './scope';

/** Steps that all look-ups together may take; what a person writes takes thousands. */
const MOST_STEPS = 3_000_000;

/** The file asks for more than a person would. */
export class TooIntricate extends Error {}

/** What the file says of the inputs, and what it uses of them. */
export interface Inputs {
  readonly declared: ReadonlySet<string>;
  /** The file says what its inputs are. */
  readonly isClosed: boolean;
  /** Names that are neither inputs nor left by a state. */
  readonly undeclared: Set<string>;
  /** Names that only Station knows. */
  readonly unknown: Set<string>;
}

const PREVIOUS = '$previous';

/**
 * What names of the context stand for at a state. There, states write into one context, one after the other; here, tasks refer to the
 * outputs of others. So each name is followed back to the state that wrote it last. Where ways come together that wrote it
 * differently, a task is added that takes the value of the way that was gone.
 */
export class Context {
  private steps = 0;

  constructor(readonly inputs: Inputs) {}

  /** What is at a path of the context right before a state; undefined when no state wrote it. */
  before(node: Node, path: readonly string[], scope: Scope = node.graph.scope): Named | undefined {
    for (let at = node; ;) {
      this.steps += 1 + at.edges.length;
      if (this.steps > MOST_STEPS) throw new TooIntricate();
      const [first, second] = at.edges;
      if (first === undefined) {
        const { bind, owner } = at.graph;
        const bound = bind?.(path);
        if (bound !== undefined) return at.graph.scope === scope ? bound : asOutput(bound, at.graph.scope);
        if (owner === undefined) return undefined;
        at = owner;
      } else if (second === undefined) {
        const found = written(first.from, path);
        if (found !== undefined) return found;
        at = first.from;
      } else return this.join(at, path);
    }
  }

  /** The output of the state before. */
  previous(node: Node): string | undefined {
    return this.before(node, [PREVIOUS])?.cel;
  }

  private join(node: Node, path: readonly string[]): Named | undefined {
    const key = path.join('\0');
    if (node.joined.has(key)) return node.joined.get(key);
    const { scope } = node.graph;
    const ways = node.edges.map((edge) => ({
      edge,
      found: written(edge.from, path) ?? this.before(edge.from, path, scope),
    }));
    const joined = this.choose(node, path, ways);
    node.joined.set(key, joined);
    return joined;
  }

  private choose(
    node: Node,
    path: readonly string[],
    ways: readonly { edge: Edge; found: Named | undefined }[],
  ): Named | undefined {
    const found = ways.flatMap((way) => (way.found === undefined ? [] : [way.found]));
    const [one] = found;
    if (one === undefined) return undefined;
    const isSame = ({ cel, used }: Named): boolean => cel === one.cel && used === one.used;
    if (found.length === ways.length && found.every(isSame)) return one;
    const used = Math.max(...found.map((each) => each.used));
    const name = path
      .slice(0, used)
      .join('_')
      .replaceAll(/[^A-Za-z0-9_]/g, '_');
    const values = ways.map((way) => {
      const value = way.found === undefined ? this.ofInputs(path, used) : fieldsOf(way.found, path.slice(0, used));
      const given = way.found?.given;
      return { via: way.edge.via, value: given === undefined ? value : choice(given, value, 'null') };
    });
    const last = values.at(-1)?.value ?? 'null';
    const cel = values
      .slice(0, -1)
      .reduceRight((other, { via, value }) => choice(`tasks.${via}.status == "completed"`, value, other), last);
    const isCertain = ways.every((way) => way.found !== undefined && way.found.given === undefined);
    const kept = `${this.joinTask(node, name, cel)}${stepTo(name)}`;
    return { cel: kept, used, ...(isCertain ? {} : { given: `${kept} != null` }) };
  }

  private ofInputs(path: readonly string[], used: number): string {
    const [first = ''] = path;
    if (!this.inputs.declared.has(first)) return 'null';
    return fieldsOf({ cel: `inputs.${inputKey(first)}`, used: 1 }, path.slice(0, used));
  }

  /** Adds a value to the task that keeps what was left by the way that was gone. */
  private joinTask({ key, graph, edges }: Node, name: string, cel: string): string {
    const { scope } = graph;
    const joinKey = `${key}_context`;
    const known = this.joins.get(key) ?? { key: scope.keys.fresh(joinKey), values: {} };
    this.joins.set(key, known);
    known.values[name] = `\${{ ${cel} }}`;
    scope.add(known.key, { uses: 'transform', needs: [...new Set(edges.map(({ via }) => via))], with: known.values });
    return `tasks.${known.key}.output`;
  }

  private readonly joins = new Map<string, { key: string; values: Record<string, string> }>();

  /** An input of the workflow by name, declared or not. */
  input(path: readonly string[]): Named | undefined {
    const [name = ''] = path;
    const { declared, isClosed, undeclared, unknown } = this.inputs;
    const key = inputKey(name);
    if (declared.has(name)) return { cel: `inputs.${key}`, used: 1, given: `inputs.${key} != null` };
    if (name === '_runID') return { cel: 'run.id', used: 1 };
    if (!isTaskKey(key)) return undefined;
    if (name.startsWith('_')) {
      unknown.add(name);
      return { cel: 'null', used: path.length, given: 'false' };
    }
    undeclared.add(name);
    return { cel: `inputs.${key}`, used: 1, ...(isClosed ? { given: `inputs.${key} != null` } : {}) };
  }
}

/** What a state left at the path, if it did. */
function written(node: Node, path: readonly string[]): Named | undefined {
  let best: Write | undefined;
  for (const write of node.writes) {
    if (write.path.length <= path.length && begins(path, write.path) && write.path.length >= (best?.path.length ?? 0))
      best = write;
  }
  if (best === undefined) return undefined;
  let from = best.path.length;
  if (best.path[0] === 'steps' && path[from] === 'output') from += 1;
  const { used, ...named } = best.read(path.slice(from));
  return { ...named, used: from + used };
}

/** Names of states may have a - there where expressions have a _. */
function begins(path: readonly string[], write: readonly string[]): boolean {
  return write.every((part, index) => part === path[index] || same(part) === same(path[index] ?? ''));
}

export function same(name: string): string {
  return name.replaceAll(/[-.]/g, '_');
}

function asOutput(bound: Named, scope: Scope): Named {
  return { ...bound, cel: bound.cel.replace(/^each/, scope.each()) };
}

/** The last output goes by this name. */
export const previousPath: readonly string[] = [PREVIOUS];
