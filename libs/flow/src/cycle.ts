/** So many cycles of a document are told; who mends these sees the next. */
const MOST_CYCLES = 20;

/**
 * Cycles of the graph, each as `[a, b, a]`: without one edge of each of them there would be none. `needs` of unknown tasks are
 * passed over. Works without recursion.
 */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const start of graph.keys()) {
    if (state.has(start)) continue;
    const stack: { key: string; next: number }[] = [{ key: start, next: 0 }];
    state.set(start, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = graph.get(top.key)?.[top.next];
      top.next += 1;
      if (need === undefined) {
        state.set(top.key, 'done');
        stack.pop();
      } else if (state.get(need) === 'open') {
        const keys = stack.map(({ key }) => key);
        // The stack goes from dependent to dependency; printed the way the data would flow.
        cycles.push([need, ...keys.slice(keys.indexOf(need)).reverse()]);
        if (cycles.length === MOST_CYCLES) return cycles;
      } else if (graph.has(need) && !state.has(need)) {
        state.set(need, 'open');
        stack.push({ key: need, next: 0 });
      }
    }
  }
  return cycles;
}
