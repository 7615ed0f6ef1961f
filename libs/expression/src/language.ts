import { Environment } from '@marcbachmann/cel-js';
import { LatticeError } from '@lattice/contracts';
import { visit } from './ast';
import { boundLoops } from './bounded-loops';
import { hasMixedBranches, mixBranches } from './mixed-branches';
import { matchesPattern } from './patterns';

/** The library's own `matches` can't be replaced, so calls of it are turned into calls of this. */
const MATCHES = 'matchesRe2';

/** One environment for all expressions: our variables, and arithmetic between int and double, which CEL leaves out. */
function makeEnvironment(): Environment {
  const environment = new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true })
    .registerVariable('inputs', 'dyn')
    .registerVariable('tasks', 'dyn')
    .registerVariable('run', 'dyn')
    .registerVariable('each', 'dyn')
    .registerVariable('secrets', 'dyn');
  const operators: [string, (a: number, b: number) => number][] = [
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
    ['*', (a, b) => a * b],
    ['/', (a, b) => a / b],
  ];
  for (const [name, apply] of operators) {
    environment.registerOperator(`int ${name} double`, (a: bigint, b: number) => apply(Number(a), b));
    environment.registerOperator(`double ${name} int`, (a: number, b: bigint) => apply(a, Number(b)));
  }
  // Values that are known only at run time compare by worth already; literals do by this.
  environment.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b);
  environment.registerFunction(`string.${MATCHES}(string): bool`, matchesPattern);
  return environment;
}

const environment = makeEnvironment();

/** Ready to be evaluated with values of CEL: bigint for int, number for double. */
export type Program = ReturnType<typeof environment.parse>;

/** Parses CEL text; throws LatticeError `bad_expression` with the place. */
export function parseProgram(text: string): Program {
  const program = attempt(text);
  const checked = program.check();
  if (checked.valid) return boundLoops(program);
  if (!hasMixedBranches(checked.error)) throw badExpression(text, checked.error);
  const mixed = mixBranches(environment, attempt(text));
  const again = mixed.check();
  if (!again.valid) throw badExpression(text, again.error);
  return boundLoops(mixed);
}

function attempt(text: string): Program {
  try {
    return withSafePatterns(environment.parse(text));
  } catch (error) {
    throw badExpression(text, error);
  }
}

function withSafePatterns(program: Program): Program {
  visit(program.ast, ({ op, args }) => {
    if (op === 'rcall' && Array.isArray(args) && args[0] === 'matches') args[0] = MATCHES;
  });
  return program;
}

function badExpression(text: string, error: unknown): LatticeError {
  const message = firstLine(error);
  const code = message.startsWith('Unknown variable') ? 'unreachable_reference' : 'bad_expression';
  return new LatticeError(code, `\${{ ${text.trim()} }}: ${message}`);
}

/** True when a computation left the 64 bits that CEL has for integers. */
export function isOverflow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'numeric_overflow';
}

/** The first line of what CEL says; the rest is a drawing of the place. */
export function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return line.replaceAll(MATCHES, 'matches');
}
