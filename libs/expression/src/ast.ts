/** A part of a parsed expression. The library keeps what it needs of it in `args`, and looks there when it checks and evaluates. */
export interface Node {
  readonly op: string;
  args: unknown;
}

export function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'op' in value && 'args' in value && typeof value.op === 'string'
  );
}

/** Calls `act` for each part of an expression, those within first. */
export function visit(value: unknown, act: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const inner of value) visit(inner, act);
    return;
  }
  if (!isNode(value)) return;
  visit(value.args, act);
  act(value);
}
