/** The tasks named and all that depend on them, directly or through others. Keys that name no task are passed over. */
export function downstreamOf(
  tasks: ReadonlyMap<string, { readonly needs: readonly string[] }>,
  keys: Iterable<string>,
): Set<string> {
  const dependents = new Map<string, string[]>();
  for (const [key, { needs }] of tasks) {
    for (const need of needs) {
      const known = dependents.get(need);
      if (known === undefined) dependents.set(need, [key]);
      else known.push(key);
    }
  }
  const found = new Set<string>();
  const todo = [...keys].filter((key) => tasks.has(key));
  for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
    if (found.has(key)) continue;
    found.add(key);
    for (const next of dependents.get(key) ?? []) if (!found.has(next)) todo.push(next);
  }
  return found;
}
