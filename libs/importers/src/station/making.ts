import { stepTo } from '../cel-text';
import type { NameOf } from '../python-names';
import type { Context } from './context';
import { previousPath } from './context';
import { fieldsOf, plain, type Bind, type Graph, type Node, type Write } from './graph';
import { namesAt } from './names';
import type { Block, State } from './read-states';
import type { Scope } from './scope';
import { pathOf, withExpressions } from './values';

/** What goes around while tasks are made of states. */
export interface Making {
  readonly context: Context;
  readonly notes: string[];
  readonly keyOf: ReadonlyMap<State, string>;
  /** Names of handlers that workers have to offer. */
  readonly handlers: Set<string>;
  /** Texts that look like references and were left as they are. */
  readonly unread: Set<string>;
  /** Makes the tasks of a block. */
  readonly graph: (making: Making, block: Block, around: Around) => Graph;
  /** Name of the workflow. */
  readonly name: string;
}

export interface Around {
  readonly scope: Scope;
  readonly owner?: Node;
  readonly bind?: Bind;
  /** What the first states of the block wait for. */
  readonly needs?: readonly string[];
}

/** Makes the tasks of a state; gives those that come first. */
export type Make = (making: Making, node: Node, needs: readonly string[]) => string[];

/** `needs` as a field of a task, when there are any. */
export function needing(needs: readonly string[]): { needs?: readonly string[] } {
  return needs.length === 0 ? {} : { needs: [...new Set(needs)] };
}

/** What every task takes over of its state. */
export function described({ state: { id, spec } }: Node): { description?: string } {
  const text = spec.description || spec.approval_title || (spec.name && spec.name !== id ? spec.name : undefined);
  return text ? { description: text } : {};
}

/** Says that the tasks of a state are made, and what it leaves in the context. */
export function finish(node: Node, read: Write['read'], isPrevious = true): void {
  const { id, spec } = node.state;
  const outputPath = spec.outputPath ? pathOf(spec.outputPath) : undefined;
  const base = outputPath === undefined ? read : plain(fieldsOf(read(outputPath), outputPath));
  const valueAt = (path: readonly string[]): string => fieldsOf(base(path), path);
  node.value = valueAt([]);
  for (const path of [['steps', id], [id]]) node.writes.push({ path, read: base });
  if (isPrevious) node.writes.push({ path: previousPath, read: plain(node.value) });
  const resultPath = spec.resultPath ? pathOf(spec.resultPath) : undefined;
  if (resultPath !== undefined) {
    node.writes.push({ path: resultPath, read: base });
    node.named.set(resultPath.join('.'), node.value);
  }
  for (const [name, from] of Object.entries(spec.output ?? {})) {
    const path = from === '$' ? [] : typeof from === 'string' ? pathOf(from) : undefined;
    if (path === undefined) continue;
    node.writes.push({ path: [name], read: below(base, path) });
    node.named.set(name, valueAt(path));
  }
}

/** What is at a path of a value, with the names that its fields have there. */
function below(read: Write['read'], path: readonly string[]): Write['read'] {
  return (fields) => {
    const named = read([...path, ...fields]);
    if (named.used < path.length) return plain(fieldsOf(named, path))(fields);
    return { ...named, used: named.used - path.length };
  };
}

/** Says what of `output`, `resultPath` and `outputPath` is no path. */
export function noteUnreadPaths({ notes }: Making, { state: { id, spec } }: Node): void {
  const paths = [spec.resultPath, spec.outputPath, spec.inputPath, ...Object.values(spec.output ?? {})];
  const unread = paths.filter(
    (path) =>
      path !== undefined && path !== null && path !== '' && path !== '$' && !(typeof path === 'string' && pathOf(path)),
  );
  if (unread.length > 0)
    notes.push(
      `State "${id}": not carried over, for it is no path: ${unread.map((path) => JSON.stringify(path).slice(0, 100)).join(', ')}`,
    );
}

/** A value of a state with its references as expressions. */
export function expressed(making: Making, node: Node, value: unknown): unknown {
  const { context, unread } = making;
  const nameOf: NameOf = namesAt({ context, node });
  const isKnown = (path: readonly string[]): boolean =>
    context.before(node, path) !== undefined ||
    context.inputs.declared.has(path[0] ?? '') ||
    (!context.inputs.isClosed && /^[a-z]/.test(path[0] ?? ''));
  return withExpressions(value, { nameOf, isKnown, unread });
}

/** The value with which a graph ended, as an expression: of the last state that was reached. */
export function endOf({ ends }: Graph): string {
  const last = ends.at(-1)?.value ?? 'null';
  return ends
    .slice(0, -1)
    .reduceRight((other, end) => `tasks.${end.key}.status == "completed" ? ${end.value} : (${other})`, last);
}

/** What a block gives: what its states name, or else what the last one gave. `all` counts `resultPath` too. */
export function valueOf(graph: Graph, all: boolean): unknown {
  const isCertain = graph.nodes.every(({ state }) => state.kind !== 'switch');
  const named = new Map<string, string>();
  for (const node of graph.nodes) {
    for (const [name, cel] of node.named) {
      if (!all && !Object.hasOwn(node.state.spec.output ?? {}, name)) continue;
      named.set(
        name,
        isCertain ? cel : `tasks.${node.key}.status == "completed" ? ${cel} : ${named.get(name) ?? 'null'}`,
      );
    }
  }
  if (named.size === 0) return `\${{ ${endOf(graph)} }}`;
  return Object.fromEntries([...named].map(([name, cel]) => [name, `\${{ ${cel} }}`]));
}

/** The body of a map: the one task, or a graph with its value. */
export function bodyOf(graph: Graph, value: unknown): Record<string, unknown> {
  const { tasks } = graph.scope;
  const [only] = tasks;
  if (tasks.size === 1 && only !== undefined && value === `\${{ tasks${stepTo(only[0])}.output }}`)
    return { do: only[1] };
  return { tasks: graph.scope.toTasks(), output: value };
}
