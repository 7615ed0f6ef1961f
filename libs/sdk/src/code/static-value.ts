import type { AnyNode } from 'acorn';
import { childrenOf, isFunction } from './free-names';

/** Makers of values that are the same wherever they are made. */
const MAKERS = new Set(['Map', 'Set', 'RegExp', 'URL', 'Array', 'Uint8Array', 'TextEncoder', 'TextDecoder', 'Error']);
const PURE =
  /^(Object\.(freeze|entries|keys|values|fromEntries|assign)|Math\.\w+|Number|String|Boolean|BigInt|Symbol(\.for)?|JSON\.(parse|stringify)|Array\.(from|of)|String\.raw)$/;
/** Of compilers, around `require`. */
const INTEROP = /^(__importDefault|__importStar|__toESM|_interop_require_\w+)$/;

/**
 * Why the value of a constant is no plain value; undefined when it is made alike everywhere. What is made by a call when the file is
 * loaded is a live object (a connection, a client): elsewhere it would be another one, made at another time.
 */
export function staticFault(init: AnyNode | null | undefined, source: string): string | undefined {
  const live = init === null || init === undefined ? undefined : liveIn(init, source);
  if (live === undefined) return undefined;
  return `which is made by \`${source.slice(live.start, live.end).slice(0, 60)}\` when the file is loaded: a live object does not travel; make it within the function, or in a module that it imports`;
}

/** The first part that is not plain. */
function liveIn(node: AnyNode, source: string): AnyNode | undefined {
  if (isFunction(node) || node.type === 'ClassExpression') return undefined;
  if (node.type === 'NewExpression' && !isNamed(node.callee, (name) => MAKERS.has(name), source)) return node;
  if (node.type === 'CallExpression') {
    const { callee } = node;
    const isRequire = isNamed(callee, (name) => name === 'require', source) && node.arguments[0]?.type === 'Literal';
    if (isRequire) return undefined;
    if (!isNamed(callee, (name) => PURE.test(name) || INTEROP.test(name), source)) return node;
  }
  if (node.type === 'AwaitExpression' || node.type === 'AssignmentExpression' || node.type === 'UpdateExpression')
    return node;
  if (node.type === 'MemberExpression' && source.slice(node.start, node.end).startsWith('process.')) return node;
  for (const child of childrenOf(node)) {
    const live = liveIn(child, source);
    if (live !== undefined) return live;
  }
  return undefined;
}

function isNamed(callee: AnyNode, test: (name: string) => boolean, source: string): boolean {
  return (
    (callee.type === 'Identifier' || callee.type === 'MemberExpression') && test(source.slice(callee.start, callee.end))
  );
}
