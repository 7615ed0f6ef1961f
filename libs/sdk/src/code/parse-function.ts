import { parseExpressionAt, type Expression } from 'acorn';
import { notPortable } from './not-portable';

/** A function as source text: an expression, and its node. */
export interface FunctionSource {
  readonly text: string;
  readonly node: Expression;
}

const OPTIONS = { ecmaVersion: 'latest', sourceType: 'module' } as const;

/** The source of a function, as the engine keeps it. Throws `code_not_portable` for what has none, or is no plain function. */
export function sourceOfFunction(name: string, run: (input: never) => unknown): FunctionSource {
  const text = Function.prototype.toString.call(run);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    throw notPortable(name, ['it is a bound or built-in function, which has no source; write `(input) => ...`']);
  }
  const node =
    parse(text) ?? parse(`function ${text.replace(/^async\s+/, '')}`, text.startsWith('async ') ? 'async ' : '');
  if (node === undefined) throw notPortable(name, ['its source can not be read; write `(input) => ...`']);
  const { type } = node.node;
  if (type !== 'ArrowFunctionExpression' && type !== 'FunctionExpression') {
    throw notPortable(name, ['it is a class or a method; write `(input) => ...`']);
  }
  if (node.node.generator) throw notPortable(name, ['it is a generator; return the whole value']);
  return node;
}

/** The text as an expression; undefined when it is none. A method (`run(input) {}`) is read as a function. */
function parse(text: string, before = ''): FunctionSource | undefined {
  const whole = `${before}${text}`;
  try {
    const node = parseExpressionAt(`(${whole})`, 1, OPTIONS);
    return node.end === whole.length + 1 ? { text: whole, node } : undefined;
  } catch {
    return undefined;
  }
}
