import type { Environment } from '@marcbachmann/cel-js';
import { isNode, visit } from './ast';

type Program = ReturnType<Environment['parse']>;

/** What the library says of branches of different types. */
const CODE = 'incompatible_ternary_branches';

/** Whether a check failed for a `? :` whose branches have different types, which in JSON they may: `ok ? 1 : "none"`, `ok ? "a" : null`. */
export function hasMixedBranches(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === CODE;
}

/** Puts the first branch of every `? :` into `dyn(...)`, as CEL asks for then: its value stays the same. */
export function mixBranches(environment: Environment, program: Program): Program {
  visit(program.ast, (node) => {
    if (node.op !== '?:' || !Array.isArray(node.args)) return;
    const parts: unknown[] = node.args;
    const call: unknown = environment.parse('dyn(true)').ast;
    if (!isNode(call)) return;
    call.args = ['dyn', [parts[1]]];
    parts[1] = call;
  });
  return program;
}
