import type { Environment } from '@marcbachmann/cel-js';
import { isNode, visit } from './ast';

type Program = ReturnType<Environment['parse']>;

/** Milliseconds that an expression may take. Whoever evaluates it does nothing else meanwhile. */
const LIMIT_MS = 1_000;
/** Rounds of all its loops; of a list that they make it holds the memory, too. */
const MOST_ROUNDS = 2_000_000;
/** Rounds between two looks at the clock. */
const STRIDE = 16;

let until = 0;
let rounds = 0;

/** Evaluates what has {@link boundLoops}, within the time that there is. Not within itself. */
export function withinTime<T>(evaluate: () => T): T {
  until = performance.now() + LIMIT_MS;
  rounds = 0;
  return evaluate();
}

/**
 * Has all loops of a program (`all`, `exists`, `exists_one`, `filter`, `map`) look before each round whether the time is over, where the library asks them
 * whether to go on. It is not within a round, whose errors `all` and `exists` pass over.
 */
export function boundLoops(program: Program): Program {
  visit(program.ast, (node) => {
    const loop = loopOf(node);
    if (loop === undefined) return;
    const { condition } = loop;
    loop.condition = (soFar) => {
      countRound();
      return condition === undefined || condition(soFar);
    };
  });
  return program;
}

function countRound(): void {
  rounds += 1;
  if (rounds > MOST_ROUNDS) throw new Error(`its loops have more than ${MOST_ROUNDS} rounds: let a task compute it`);
  if (rounds % STRIDE === 0 && performance.now() > until)
    throw new Error(`it takes longer than ${LIMIT_MS / 1_000} s: let a task compute it`);
}

interface Loop {
  condition?: (soFar: unknown) => boolean;
}

/** What the library made of a call that goes through a list; undefined of any other part of an expression. */
function loopOf(node: object): Loop | undefined {
  const meta: unknown = Reflect.get(node, 'meta');
  const made: unknown = typeof meta === 'object' && meta !== null ? Reflect.get(meta, 'alternate') : undefined;
  return isNode(made) && made.op === 'comprehension' && typeof made.args === 'object' && made.args !== null
    ? made.args
    : undefined;
}
