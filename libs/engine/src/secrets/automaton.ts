const START = 0;
/** A beginning of a pattern counts as the pattern from this length on, if it is half of it: texts are cut by limits. */
const SHORTEST_PART = 8;

/** Finds many texts at once, in one pass over what it is given (Aho and Corasick). */
export interface Automaton {
  /** The state after one more UTF-16 unit; begin with 0. */
  next(state: number, unit: number): number;
  /** How many of the last units are the beginning of a pattern. */
  depth(state: number): number;
  /** How many of the last units are a pattern, or half of one and 8 at least; 0: none. */
  matched(state: number): number;
}

/** Nodes of a tree of all beginnings: four numbers each, so that long patterns take little memory. */
interface Tree {
  readonly child: Int32Array;
  readonly sibling: Int32Array;
  readonly unit: Uint16Array;
  readonly depth: Int32Array;
  readonly matched: Int32Array;
  size: number;
}

/** An automaton for the patterns, none of which may be empty. */
export function automatonOf(patterns: readonly string[]): Automaton {
  const tree = plant(patterns);
  const fail = failuresOf(tree);
  // Most units of a text are looked up here.
  const first = firstOf(tree);

  function next(state: number, unit: number): number {
    for (let from = state; from !== START; from = fail[from] ?? START) {
      const to = childOf(tree, from, unit);
      if (to !== START) return to;
    }
    return first.get(unit) ?? START;
  }

  return {
    next,
    depth: (state) => tree.depth[state] ?? 0,
    matched: (state) => tree.matched[state] ?? 0,
  };
}

function firstOf({ child, sibling, unit }: Tree): Map<number, number> {
  const first = new Map<number, number>();
  for (let at = child[START] ?? START; at !== START; at = sibling[at] ?? START) first.set(unit[at] ?? 0, at);
  return first;
}

function plant(patterns: readonly string[]): Tree {
  const most = 1 + patterns.reduce((sum, { length }) => sum + length, 0);
  const tree: Tree = {
    child: new Int32Array(most),
    sibling: new Int32Array(most),
    unit: new Uint16Array(most),
    depth: new Int32Array(most),
    matched: new Int32Array(most),
    size: 1,
  };
  for (const pattern of patterns) {
    const enough = Math.max(Math.min(SHORTEST_PART, pattern.length), Math.ceil(pattern.length / 2));
    let at = START;
    for (let index = 0; index < pattern.length; index += 1) {
      at = childOf(tree, at, pattern.charCodeAt(index)) || addChild(tree, at, pattern.charCodeAt(index));
      if (index + 1 >= enough) tree.matched[at] = index + 1;
    }
  }
  return tree;
}

/** The node below, or the start when there is none. */
function childOf({ child, sibling, unit }: Tree, of: number, wanted: number): number {
  let at = child[of] ?? START;
  while (at !== START && unit[at] !== wanted) at = sibling[at] ?? START;
  return at;
}

function addChild(tree: Tree, of: number, unit: number): number {
  const added = tree.size;
  tree.size += 1;
  tree.unit[added] = unit;
  tree.depth[added] = (tree.depth[of] ?? 0) + 1;
  tree.sibling[added] = tree.child[of] ?? START;
  tree.child[of] = added;
  return added;
}

/** For each node the longest other beginning that it ends with. Nodes are gone through by depth. */
function failuresOf(tree: Tree): Int32Array {
  const fail = new Int32Array(tree.size);
  const queue = new Int32Array(tree.size);
  let filled = 1;
  for (let taken = 0; taken < filled; taken += 1) {
    const node = queue[taken] ?? START;
    for (let at = tree.child[node] ?? START; at !== START; at = tree.sibling[at] ?? START) {
      queue[filled] = at;
      filled += 1;
      if (node === START) continue;
      fail[at] = failureOf(tree, fail, node, tree.unit[at] ?? 0);
      tree.matched[at] ||= tree.matched[fail[at] ?? START] ?? 0;
    }
  }
  return fail;
}

function failureOf(tree: Tree, fail: Int32Array, parent: number, unit: number): number {
  for (let from = fail[parent] ?? START; ; from = fail[from] ?? START) {
    const to = childOf(tree, from, unit);
    if (to !== START || from === START) return to;
  }
}
