import type { Environment } from '@marcbachmann/cel-js';

type Program = ReturnType<Environment['parse']>;

/** A part of a parsed expression. */
interface Node {
  readonly op: string;
  args: unknown;
}

/** What the library says of branches of different types. */
const CODE = 'incompatible_ternary_branches';

/** Whether a check failed for a `? :` whose branches have different types, which in JSON they may: `ok ? 1 : "none"`, `ok ? "a" : null`. */
export function hasMixedBranches(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === CODE;
}

/** Parses the text with the first branch of every `? :` as `dyn(...)`, as CEL asks for then: its value stays the same. */
export function parseMixed(environment: Environment, text: string): Program {
  const program = environment.parse(text);
  const wrap = (branch: unknown): unknown => {
    const call: unknown = environment.parse('dyn(true)').ast;
    if (!isNode(call)) return branch;
    call.args = ['dyn', [branch]];
    return call;
  };
  visit(program.ast, wrap);
  return program;
}

function visit(value: unknown, wrap: (branch: unknown) => unknown): void {
  if (Array.isArray(value)) {
    for (const inner of value) visit(inner, wrap);
    return;
  }
  if (!isNode(value)) return;
  visit(value.args, wrap);
  if (value.op !== '?:' || !Array.isArray(value.args)) return;
  const parts: unknown[] = value.args;
  parts[1] = wrap(parts[1]);
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'op' in value && 'args' in value && typeof value.op === 'string'
  );
}
