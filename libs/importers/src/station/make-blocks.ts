import { fieldsOf, plain, type Graph, type Node } from './graph';
import type { Named } from '../python-names';
import { previousPath, same } from './context';
import { durationOf } from './go-duration';
import { bodyOf, described, finish, needing, valueOf, type Make, type Making } from './making';
import { namesAt } from './names';
import { Scope } from './scope';
import { pathOf } from './values';
import { choice, stepTo } from '../cel-text';
import type { Block } from './read-states';

/** Items of a foreach that may run at the same time. */
const MOST_AT_ONCE = 1_000;

/** The branches of a parallel run beside each other; a transform joins them. */
export const makeParallel: Make = (making, node, needs) => {
  const { branches, spec, id } = node.state;
  const { scope } = node.graph;
  const graphs = branches.map(({ name, block }) => ({
    name,
    graph: making.graph(making, block, { scope, owner: node, needs }),
  }));
  const values = graphs.map(({ name, graph }) => [name, valueOf(graph, false)] as const);
  const isArray = spec.outputAggregation === 'array';
  if (spec.outputAggregation && !['array', 'merge'].includes(spec.outputAggregation))
    making.notes.push(
      `State "${id}": the aggregation "${spec.outputAggregation.slice(0, 100)}" is not known; the branches are joined by name.`,
    );
  scope.add(node.key, {
    uses: 'transform',
    ...described(node),
    ...needing(graphs.flatMap(({ graph }) => graph.ends.map(({ key }) => key))),
    with: isArray ? { results: values.map(([, value]) => value) } : Object.fromEntries(values),
  });
  finish(node, (fields) => branchOf(node, fields));
  return graphs.flatMap(({ graph }) => graph.first);
};

function branchOf(node: Node, [first = '', second = '']: readonly string[]): Named {
  const cel = `tasks.${node.key}.output`;
  const named = (name: string): string | undefined =>
    node.state.branches.find((branch) => same(branch.name) === same(name))?.name;
  const direct = named(first);
  if (direct !== undefined) return { cel: cel + stepTo(direct), used: 1 };
  if (first !== 'branches' && first !== 'result') return { cel, used: 0 };
  const below = named(second);
  return below === undefined ? { cel, used: 1 } : { cel: cel + stepTo(below), used: 2 };
}

/** A foreach is a map. */
export const makeForeach: Make = (making, node, needs) => {
  const { spec, id, iterator } = node.state;
  const names = [spec.itemName, spec.itemVariable, 'item'];
  const bind = ([first = '']: readonly string[]): Named | undefined => {
    if (names.includes(first) || first === previousPath[0]) return { cel: 'each.item', used: 1 };
    return first === '_index' ? { cel: 'each.index', used: 1 } : undefined;
  };
  const body = inner(making, node, { block: iterator, bind, name: node.key });
  const value = valueOf(body, false);
  const item = { item: '${{ each.item }}', index: '${{ each.index }}', output: value };
  const asked = Math.max(1, spec.maxConcurrency ?? 1);
  if (asked > MOST_AT_ONCE)
    making.notes.push(`State "${id}": at most ${MOST_AT_ONCE} items run at the same time, not ${asked}.`);
  const timeout = spec.timeout ? durationOf(spec.timeout) : undefined;
  node.graph.scope.add(node.key, {
    uses: 'map',
    ...described(node),
    ...needing(needs),
    with: {
      over: over(making, node),
      concurrency: Math.min(asked, MOST_AT_ONCE),
      ...bodyOf(body, spec.outputAggregation === 'array' ? item : value),
    },
    ...(timeout === undefined ? {} : { timeout }),
  });
  const list = `tasks.${node.key}.output`;
  finish(node, ([first = '']) => {
    if (first === 'count') return { cel: `size(${list})`, used: 1 };
    return { cel: list, used: ['results', 'iterations', 'result'].includes(first) ? 1 : 0 };
  });
  return [node.key];
};

function over({ context, notes }: Making, node: Node): unknown {
  const { itemsPath, inputPath } = node.state.spec;
  const path = pathOf(itemsPath ?? '');
  const [first = ''] = path ?? [];
  // Examples take the path within what the state before gave.
  const previous =
    path !== undefined &&
    context.before(node, path) === undefined &&
    !context.inputs.declared.has(first) &&
    context.inputs.isClosed &&
    !['ctx', 'input', 'workflow', 'steps'].includes(first)
      ? context.previous(node)
      : undefined;
  const named =
    path === undefined
      ? undefined
      : previous === undefined
        ? namesAt({ context, node })(path)
        : { cel: previous, used: 0 };
  if (path !== undefined && named !== undefined) return `\${{ ${fieldsOf(named, path)} }}`;
  notes.push(
    `State "${node.state.id}": nothing is at ${(itemsPath ?? inputPath ?? '').slice(0, 100)}, so there are no items.`,
  );
  return [];
}

function inner(
  making: Making,
  node: Node,
  {
    block,
    bind,
    name,
  }: { block: Block | undefined; bind?: (path: readonly string[]) => Named | undefined; name: string },
): Graph {
  const scope = new Scope(node.graph.scope.keys, name);
  return making.graph(making, block ?? { states: [], start: '', name: '', unused: [] }, {
    scope,
    owner: node,
    ...(bind === undefined ? {} : { bind }),
  });
}

/**
 * The blocks of a try are maps over one item that go on when it fails: so its failure is data, and ends no other task. The
 * catch is a map over the error, if there is one; the state itself is what Station makes of all three.
 */
export const makeTry: Make = (making, node, needs) => {
  const { state, key, graph } = node;
  const { scope } = graph;
  const tried = scope.keys.fresh(`${key}_try`);
  const failed = `tasks.${tried}.output[0].status != "completed"`;
  const blocks = [
    { name: 'try', key: tried, graph: attempt(making, node, { block: state.try, key: tried, needs, over: [0] }) },
  ];
  let last = tried;
  if (state.catch !== undefined) {
    const caught = scope.keys.fresh(`${key}_catch`);
    const error = `\${{ ${failed} ? [tasks.${tried}.output[0].error] : [] }}`;
    const bind = ([first]: readonly string[]): Named | undefined =>
      first === '_error' ? { cel: 'each.item.message', used: 1 } : undefined;
    blocks.push({
      name: 'catch',
      key: caught,
      graph: attempt(making, node, { block: state.catch, key: caught, needs: [tried], over: error, bind }),
    });
    last = caught;
  }
  if (state.finally !== undefined) {
    const ended = scope.keys.fresh(`${key}_finally`);
    blocks.push({
      name: 'finally',
      key: ended,
      graph: attempt(making, node, { block: state.finally, key: ended, needs: [last], over: [0] }),
    });
    last = ended;
  }
  const outputs = blocks.map((block) => [`${block.name}_output`, `\${{ ${outputOf(block.key)} }}`] as const);
  scope.add(key, {
    uses: 'transform',
    ...described(node),
    needs: [last],
    with: {
      block: `\${{ ${failed} ? "catch" : "try" }}`,
      try_error: `\${{ ${failed} ? tasks.${tried}.output[0].error.message : null }}`,
      ...Object.fromEntries(outputs),
    },
  });
  finish(node, plain(`tasks.${key}.output`));
  leave(node, blocks);
  return [tried];
};

interface Attempt {
  readonly block: Block | undefined;
  readonly key: string;
  readonly needs: readonly string[];
  readonly over: unknown;
  readonly bind?: (path: readonly string[]) => Named | undefined;
}

function attempt(making: Making, node: Node, { block, key, needs, over: items, bind }: Attempt): Graph {
  const body = inner(making, node, { block, name: key, ...(bind === undefined ? {} : { bind }) });
  node.graph.scope.add(key, {
    uses: 'map',
    ...needing(needs),
    with: { over: items, concurrency: 1, onFailure: 'continue', ...bodyOf(body, valueOf(body, true)) },
  });
  return body;
}

function outputOf(key: string): string {
  const list = `tasks.${key}.output`;
  return `size(${list}) > 0 && ${list}[0].status == "completed" ? ${list}[0].output : null`;
}

/** What the states of the blocks name is in the context from here on, if their block came to its end. */
function leave(node: Node, blocks: readonly { name: string; graph: Graph }[]): void {
  const left = new Map<string, Named>();
  for (const { name, graph } of blocks) {
    const block = `tasks.${node.key}.output.${name}_output`;
    for (const path of graph.nodes.flatMap((each) => [...each.named.keys()])) {
      const cel = block + stepTo(path);
      const given = `${block} != null`;
      const other = left.get(path);
      left.set(path, {
        cel: other === undefined ? cel : choice(given, cel, other.cel),
        used: 0,
        given: other?.given === undefined ? given : `(${given} || ${other.given})`,
      });
    }
  }
  for (const [path, named] of left) node.writes.push({ path: path.split('.'), read: () => named });
}
