/** Names that hold dots, by their parts: the one that a path begins with is found in one pass, however many there are. */
export interface DottedNames {
  readonly below: Map<string, DottedNames>;
  /** The whole name, where one ends. */
  name: string | undefined;
}

export function dottedNames(names: Iterable<string>): DottedNames {
  const root: DottedNames = { below: new Map(), name: undefined };
  for (const name of names) {
    if (!name.includes('.')) continue;
    let at = root;
    for (const part of name.split('.')) {
      const next = at.below.get(part) ?? { below: new Map(), name: undefined };
      at.below.set(part, next);
      at = next;
    }
    at.name = name;
  }
  return root;
}

/** The longest of the names that the path is, or begins with. */
export function longestAt(root: DottedNames, path: string): string | undefined {
  let at: DottedNames | undefined = root;
  let longest: string | undefined;
  for (const part of path.split('.')) {
    at = at.below.get(part);
    if (at === undefined) break;
    longest = at.name ?? longest;
  }
  return longest;
}
