import { orderOf, type Graph, type Node } from './graph';
import { makeState } from './make-state';
import { noteUnreadPaths, type Around, type Making } from './making';
import type { Block } from './read-states';

/** Makes the tasks of the states of a block, each after those that lead to it. */
export function makeGraph(making: Making, block: Block, { scope, owner, bind, needs = [] }: Around): Graph {
  const { order, unreached } = orderOf(block, owner !== undefined);
  const nodes: Node[] = [];
  const graph: Graph = { scope, owner, bind, nodes, first: [], ends: [], unreached };
  const byId = new Map<string, Node>();
  for (const { state, next } of order) {
    const key = making.keyOf.get(state) ?? '';
    const node: Node = {
      state,
      graph,
      key,
      next,
      edges: [],
      writes: [],
      value: 'null',
      arms: {},
      named: new Map(),
      joined: new Map(),
    };
    byId.set(state.id, node);
    nodes.push(node);
  }
  for (const from of nodes) for (const id of from.next) byId.get(id)?.edges.push({ from, via: from.key });
  if (block.unused.length > 0 && owner !== undefined)
    making.notes.push(
      `State "${owner.state.id}", ${block.name}: not carried over: ${block.unused.join(', ').slice(0, 500)}.`,
    );
  const first: string[] = [];
  for (const node of nodes) {
    noteUnreadPaths(making, node);
    const begun = makeNode(making, node, needs);
    if (node.edges.length === 0) first.push(...begun);
  }
  if (unreached.length > 0)
    making.notes.push(
      `Left out, for nothing leads there: ${unreached
        .slice(0, 20)
        .map(({ id }) => `"${id}"`)
        .join(', ')}${unreached.length > 20 ? ` and ${unreached.length - 20} more` : ''}.`,
    );
  return { ...graph, first, ends: nodes.filter(({ next }) => next.length === 0) };
}

function makeNode(making: Making, node: Node, around: readonly string[]): string[] {
  const [only, second] = node.edges;
  if (only === undefined) return makeState(making, node, around);
  if (second === undefined && only.from.state.kind !== 'switch') return makeState(making, node, [only.via]);
  if (second === undefined) {
    const first = makeState(making, node, []);
    only.from.arms[node.key] = first;
    return first;
  }
  for (const edge of node.edges) if (edge.from.state.kind === 'switch') edge.via = passThrough(edge.from, node);
  return makeState(
    making,
    node,
    node.edges.map(({ via }) => via),
  );
}

/** A way from a switch to a state that is also come to from elsewhere is a task of its own: an arm that is taken or not. */
function passThrough(from: Node, to: Node): string {
  const { scope } = from.graph;
  const key = scope.keys.fresh(`${from.key}_to_${to.key}`);
  scope.add(key, { uses: 'transform', with: null });
  from.arms[to.key] = [key];
  return key;
}
